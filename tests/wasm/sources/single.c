double project_point_to_image(double x, double y, double z) { return x + y + z; }
