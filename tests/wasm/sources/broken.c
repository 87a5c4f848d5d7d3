double project_point_to_image(double x) { return x + undeclared; }
