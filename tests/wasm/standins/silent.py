"""A compiler that ends well, but has not done anything."""
