#version 330 core
// Dots in device pixels, y downward.
layout(location = 0) in vec2 place;
layout(location = 1) in vec4 colour;
uniform vec2 display;
uniform float radius;
out vec4 ink;

void main() {
    gl_Position = vec4(2.0 * place.x / display.x - 1.0, 1.0 - 2.0 * place.y / display.y, 0.0, 1.0);
    gl_PointSize = 2.0 * (radius + 1.5);
    ink = colour;
}
