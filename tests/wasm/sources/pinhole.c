typedef struct {
    double u, v;
} Pixel;

Pixel project_point_to_image(double x, double y, double z) {
    Pixel pixel = {320 + 100 * (x / z), 240 + 100 * (y / z)};
    return pixel;
}
