#version 330 core
// A rectangle in device pixels, y downward; the field's first row is at its bottom.
uniform vec2 display;
uniform vec4 place;  // x0, y0, x1, y1
out vec2 at;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 p = mix(place.xy, place.zw, corner);
    gl_Position = vec4(2.0 * p.x / display.x - 1.0, 1.0 - 2.0 * p.y / display.y, 0.0, 1.0);
    at = vec2(corner.x, 1.0 - corner.y);
}
