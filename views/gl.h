// OpenGL objects that free themselves; they belong to the context that was current when they were made.
#pragma once

#include <epoxy/gl.h>

#include <span>
#include <string>
#include <utility>

#include "views/geometry.h"
#include "views/theme.h"

namespace views {

// The folder of the shader files: the build's, or the one beside the installed program.
std::string shaderFolder();

// Throws core::Error unless the current context is OpenGL 3.3 or later.
void checkContext();

// One GL name and the function that frees it.
template <void (*Free)(GLuint)>
class GlName {
  public:
    GlName() = default;
    explicit GlName(GLuint name) : m_name(name) {}
    GlName(GlName&& other) noexcept : m_name(std::exchange(other.m_name, 0)) {}
    GlName& operator=(GlName&& other) noexcept {
        std::swap(m_name, other.m_name);
        return *this;
    }
    ~GlName() {
        if (m_name) Free(m_name);
    }
    operator GLuint() const { return m_name; }

  private:
    GLuint m_name = 0;
};

void freeProgram(GLuint name);
void freeBuffer(GLuint name);
void freeTexture(GLuint name);
void freeVertexArray(GLuint name);
using Buffer = GlName<freeBuffer>;
using Texture = GlName<freeTexture>;
using VertexArray = GlName<freeVertexArray>;

Buffer makeBuffer();
VertexArray makeVertexArray();

class Program {
  public:
    Program() = default;
    // Reads <name>.vert and <name>.frag from the shader folder. Throws core::Error with the compiler's words.
    explicit Program(const std::string& name);
    void use() const { glUseProgram(m_name); }
    void set(const char* uniform, float value) const;
    void set(const char* uniform, int value) const;
    void set(const char* uniform, Vec value) const;
    void set(const char* uniform, Rect value) const;
    void set(const char* uniform, Rgba value) const;

  private:
    GLint place(const char* uniform) const { return glGetUniformLocation(m_name, uniform); }
    GlName<freeProgram> m_name;
};

enum class Filter { nearest, linear };

// Fills a texture, making it first if it is empty. Throws core::Error if it is larger than the driver takes.
void uploadFloats(Texture& texture, std::span<const float> values, int width, int height, Filter filter);
// Opacities of white.
void uploadOpacity(Texture& texture, std::span<const uint8_t> values, int width, int height, Filter filter);
void uploadColours(Texture& texture, std::span<const Rgba> values, int width, int height, Filter filter);

}  // namespace views
