#version 330 core
// A scalar field through a colour map, with an iso-contour of constant width.
in vec2 at;
uniform sampler2D values;
uniform sampler2D maps;   // one map a row, 256 colours each
uniform int mapRow;
uniform vec2 range;       // the values at the map's two ends
uniform float opacity;
uniform vec4 veil;        // alpha above 0: this colour instead of the map, opaque in proportion
uniform vec4 missing;     // where the value is not finite
uniform float contour;
uniform vec4 contourInk;  // alpha 0: no contour
uniform float contourHalfWidth;
out vec4 colour;

void main() {
    float v = texture(values, at).r;
    float slope = length(vec2(dFdx(v), dFdy(v)));
    if (isnan(v) || isinf(v)) {
        colour = missing;
        return;
    }
    float t = clamp((v - range.x) / (range.y - range.x), 0.0, 1.0);
    colour = vec4(texelFetch(maps, ivec2(int(t * 255.0 + 0.5), mapRow), 0).rgb, opacity);
    if (veil.a > 0.0) colour = vec4(veil.rgb, veil.a * t);
    // On a plateau at the level itself the contour would be everywhere: it fades where the slope does.
    float steep = smoothstep(2e-4, 1e-3, slope / abs(range.y - range.x));
    if (contourInk.a > 0.0 && steep > 0.0) {
        float pixels = abs(v - contour) / slope;
        float line = steep * (1.0 - smoothstep(contourHalfWidth - 0.5, contourHalfWidth + 0.5, pixels));
        colour = vec4(mix(colour.rgb, contourInk.rgb, line * contourInk.a), max(colour.a, line * contourInk.a));
    }
}
