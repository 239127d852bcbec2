#version 330 core
// A disc with a smooth edge and a thin rim in the surface's colour, so that dots on a field stay apart.
in vec4 ink;
uniform float radius;
uniform vec4 rim;
out vec4 colour;

void main() {
    float d = length(gl_PointCoord - 0.5) * 2.0 * (radius + 1.5);
    float disc = 1.0 - smoothstep(radius - 0.5, radius + 0.5, d);
    float outer = (1.0 - smoothstep(radius + 0.3, radius + 1.3, d)) * rim.a;
    float alpha = max(disc, outer);
    if (alpha <= 0.004) discard;
    colour = vec4(mix(rim.rgb, ink.rgb, disc), alpha * ink.a);
}
