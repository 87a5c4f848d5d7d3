struct Pixel {
    double u, v;
};

extern "C" Pixel project_point_to_image(double x, double y, double z) {
    return {320 + 100 * (x / z), 240 + 100 * (y / z)};
}
