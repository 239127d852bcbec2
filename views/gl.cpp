#include "views/gl.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.h"

namespace views {

namespace {

std::string readText(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    CHECK(file, "shader: expected to read {}, it cannot be opened", path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

GLuint compile(GLenum kind, const std::string& path) {
    const std::string text = readText(path);
    const char* pointer = text.c_str();
    const GLuint shader = glCreateShader(kind);
    glShaderSource(shader, 1, &pointer, nullptr);
    glCompileShader(shader);
    GLint good = 0;
    glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
    if (!good) {
        char log[1024] = {};
        glGetShaderInfoLog(shader, sizeof log, nullptr, log);
        glDeleteShader(shader);
        CHECK(false, "shader {}: expected to compile, the driver says: {}", path, log);
    }
    return shader;
}

void upload(Texture& texture, GLint internal, GLenum format, GLenum type, const void* data, int width,
            int height, Filter filter) {
    GLint largest = 0;
    glGetIntegerv(GL_MAX_TEXTURE_SIZE, &largest);
    CHECK(width > 0 && height > 0 && width <= largest && height <= largest,
          "texture: expected 1 to {} texels a side, got {} x {}", largest, width, height);
    if (!texture) {
        GLuint name = 0;
        glGenTextures(1, &name);
        texture = Texture(name);
    }
    glBindTexture(GL_TEXTURE_2D, texture);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 0);
    glTexImage2D(GL_TEXTURE_2D, 0, internal, width, height, 0, format, type, data);
    const GLint mode = filter == Filter::linear ? GL_LINEAR : GL_NEAREST;
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, mode);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, mode);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
}

void swizzle(GLint r, GLint g, GLint b, GLint a) {
    const GLint channels[] = {r, g, b, a};
    glTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_SWIZZLE_RGBA, channels);
}

}  // namespace

std::string shaderFolder() {
    namespace fs = std::filesystem;
    std::error_code ignored;
#ifdef GENSCOPE_SHADERS
    if (fs::is_directory(GENSCOPE_SHADERS, ignored)) return GENSCOPE_SHADERS;
#endif
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    return (program.parent_path().parent_path() / "share" / "genscope" / "shaders").string();
}

void checkContext() {
    const int version = epoxy_gl_version();
    CHECK(version >= 33, "OpenGL: expected version 3.3 or later, got {}.{}", version / 10, version % 10);
}

void freeProgram(GLuint name) {
    glDeleteProgram(name);
}
void freeBuffer(GLuint name) {
    glDeleteBuffers(1, &name);
}
void freeTexture(GLuint name) {
    glDeleteTextures(1, &name);
}
void freeVertexArray(GLuint name) {
    glDeleteVertexArrays(1, &name);
}

Buffer makeBuffer() {
    GLuint name = 0;
    glGenBuffers(1, &name);
    return Buffer(name);
}

VertexArray makeVertexArray() {
    GLuint name = 0;
    glGenVertexArrays(1, &name);
    return VertexArray(name);
}

Program::Program(const std::string& name) {
    const std::string base = shaderFolder() + "/" + name;
    const GLuint vertex = compile(GL_VERTEX_SHADER, base + ".vert");
    GLuint fragment = 0;
    try {
        fragment = compile(GL_FRAGMENT_SHADER, base + ".frag");
    } catch (...) {
        glDeleteShader(vertex);
        throw;
    }
    m_name = GlName<freeProgram>(glCreateProgram());
    glAttachShader(m_name, vertex);
    glAttachShader(m_name, fragment);
    glLinkProgram(m_name);
    glDeleteShader(vertex);
    glDeleteShader(fragment);
    GLint good = 0;
    glGetProgramiv(m_name, GL_LINK_STATUS, &good);
    if (!good) {
        char log[1024] = {};
        glGetProgramInfoLog(m_name, sizeof log, nullptr, log);
        CHECK(false, "shader {}: expected to link, the driver says: {}", base, log);
    }
}

void Program::set(const char* uniform, float value) const {
    glUniform1f(place(uniform), value);
}
void Program::set(const char* uniform, int value) const {
    glUniform1i(place(uniform), value);
}
void Program::set(const char* uniform, Vec value) const {
    glUniform2f(place(uniform), value.x, value.y);
}
void Program::set(const char* uniform, Rect value) const {
    glUniform4f(place(uniform), value.x0, value.y0, value.x1, value.y1);
}
void Program::set(const char* uniform, Rgba value) const {
    glUniform4f(place(uniform), float(value.r) / 255, float(value.g) / 255, float(value.b) / 255,
                float(value.a) / 255);
}

void uploadFloats(Texture& texture, std::span<const float> values, int width, int height, Filter filter) {
    upload(texture, GL_R32F, GL_RED, GL_FLOAT, values.data(), width, height, filter);
    swizzle(GL_RED, GL_GREEN, GL_BLUE, GL_ALPHA);
}

void uploadOpacity(Texture& texture, std::span<const uint8_t> values, int width, int height, Filter filter) {
    upload(texture, GL_R8, GL_RED, GL_UNSIGNED_BYTE, values.data(), width, height, filter);
    swizzle(GL_ONE, GL_ONE, GL_ONE, GL_RED);
}

void uploadColours(Texture& texture, std::span<const Rgba> values, int width, int height, Filter filter) {
    upload(texture, GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, values.data(), width, height, filter);
    swizzle(GL_RED, GL_GREEN, GL_BLUE, GL_ALPHA);
}

}  // namespace views
