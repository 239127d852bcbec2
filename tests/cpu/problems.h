// One problem for every op on awkward extents, and how to solve it in float; for the tests of the kernels.
#pragma once

#include <cstring>

#include "network_problems.h"
#include "product_problems.h"

namespace problems {

struct Sides {
    int64_t rows, columns;
};
inline const std::vector<Sides> awkward = {{1, 1},  {7, 3},    {33, 65}, {100, 2}, {129, 31},
                                           {5, 17}, {64, 128}, {1, 300}, {300, 1}, {16, 16}};

struct UnaryRow {
    Op op;
    const char* name;
    float low, high, a, b;
};
inline const UnaryRow unaries[] = {
    {Op::affine, "affine", -3, 3, 1.7f, -0.3f},
    {Op::exp, "exp", -20, 5, 0, 0},
    {Op::log, "log", 1e-3f, 50, 0, 0},
    {Op::sqrt, "sqrt", 0, 50, 0, 0},
    {Op::square, "square", -3, 3, 0, 0},
    {Op::abs, "abs", -3, 3, 0, 0},
    {Op::reciprocal, "reciprocal", 0.1f, 9, 0, 0},
    {Op::tanh, "tanh", -6, 6, 0, 0},
    {Op::sigmoid, "sigmoid", -30, 30, 0, 0},
    {Op::softplus, "softplus", -30, 30, 0, 0},
    {Op::leakyRelu, "leakyRelu", -3, 3, 0.2f, 0},
    {Op::leakyStep, "leakyStep", -3, 3, 0.2f, 0},
    {Op::sign, "sign", -3, 3, 0, 0},
    {Op::silu, "silu", -30, 30, 0, 0},
    {Op::siluSlope, "siluSlope", -30, 30, 0, 0},
    {Op::gelu, "gelu", -9, 9, 0, 0},
    {Op::geluSlope, "geluSlope", -40, 40, 0, 0},
    {Op::erfGelu, "erfGelu", -9, 9, 0, 0},
    {Op::erfGeluSlope, "erfGeluSlope", -40, 40, 0, 0},
    {Op::sine, "sine", -4, 4, 0, 0},
    {Op::sine, "sine of large angles", -5000, 5000, 0, 0},
    {Op::cosine, "cosine", -4, 4, 0, 0},
    {Op::cosine, "cosine of large angles", -5000, 5000, 0, 0},
    {Op::floor, "floor", -9, 9, 0, 0},
    {Op::reshape, "reshape", -3, 3, 0, 0},
    {Op::assign, "assign", -3, 3, 0, 0},
};

inline std::string extentsOf(int64_t rows, int64_t columns) {
    return std::to_string(rows) + "x" + std::to_string(columns);
}

inline void addPointwise(std::vector<Problem>& all, Maker& maker) {
    for (const UnaryRow& row : unaries)
        for (const Sides& e : awkward) {
            Problem p = maker.make(row.op, e.rows, e.columns);
            p.name = std::string(row.name) + " " + extentsOf(e.rows, e.columns);
            p.call.a = row.a;
            p.call.b = row.b;
            maker.operand(p, 0, e.rows, e.columns, row.low, row.high);
            all.push_back(std::move(p));
        }
    const std::pair<Op, const char*> binaries[] = {
        {Op::add, "add"}, {Op::subtract, "subtract"}, {Op::multiply, "multiply"}, {Op::divide, "divide"}};
    for (const auto& [op, name] : binaries)
        for (const Sides& e : awkward)
            for (int left = 0; left < 4; ++left)
                for (int right = 0; right < 4; ++right) {
                    if (left != 0 && right != 0 && left + right != 3) continue;  // one whole, or row x column
                    Problem p = maker.make(op, e.rows, e.columns);
                    const Sides kinds[] = {e, {1, e.columns}, {e.rows, 1}, {1, 1}};
                    maker.operand(p, 0, kinds[left].rows, kinds[left].columns);
                    maker.operand(p, 1, kinds[right].rows, kinds[right].columns, 0.5f, 3);
                    p.name = std::string(name) + " " + extentsOf(e.rows, e.columns) + " = " +
                             extentsOf(kinds[left].rows, kinds[left].columns) + " with " +
                             extentsOf(kinds[right].rows, kinds[right].columns);
                    all.push_back(std::move(p));
                }
}

inline void addProducts(std::vector<Problem>& all, Maker& maker) {
    struct Product {
        int64_t rows, columns, summed;
    };
    std::vector<Product> products = {
        {1, 1, 1},       {7, 3, 5},     {33, 65, 17},   {100, 2, 3},    {129, 31, 33}, {50, 64, 300},
        {37, 300, 261},  {128, 10, 50}, {13, 100, 520}, {70, 129, 257}, {256, 128, 2}, {65, 2, 128},
        {1, 128, 64},    {2, 130, 31},  {3, 33, 40},    {200, 1, 1},    {40, 784, 20}, {48, 48, 1024},
        {50, 410, 1030}, {90, 1, 300},  {17, 9, 600}};
    for (int64_t columns = 1; columns <= 36; ++columns) products.push_back({67, columns, 37});
    for (int64_t rows = 1; rows <= 26; ++rows) products.push_back({rows, 43, 19});
    for (const Product& e : products)
        for (bool transposed : {false, true}) {
            Problem p = maker.make(Op::matmul, e.rows, e.columns);
            p.name = std::string(transposed ? "matmul transposed " : "matmul ") +
                     extentsOf(e.rows, e.columns) + " over " + std::to_string(e.summed);
            p.call.transposed = transposed;
            maker.operand(p, 0, transposed ? e.summed : e.rows, transposed ? e.rows : e.summed, -1, 1);
            maker.operand(p, 1, e.summed, e.columns, -1, 1);
            p.tolerance = 1e-7 * double(e.summed) + 1e-6;
            all.push_back(std::move(p));
        }
}

inline void addMovement(std::vector<Problem>& all, Maker& maker) {
    for (const Sides& e : awkward) {
        const std::string extents = " " + extentsOf(e.rows, e.columns);
        const auto add = [&](const char* name, Op op, int64_t rows, int64_t columns, int64_t inRows,
                             int64_t inColumns, int64_t offset) {
            Problem p = maker.make(op, rows, columns);
            p.name = name + extents;
            p.call.offset = offset;
            p.tolerance = 1e-5;
            maker.operand(p, 0, inRows, inColumns);
            all.push_back(std::move(p));
        };
        const int64_t R = e.rows, C = e.columns;
        add("transpose", Op::transpose, R, C, C, R, 0);
        add("sum to column", Op::sum, R, 1, R, C, 0);
        add("sum to row", Op::sum, 1, C, R, C, 0);
        add("sum to one", Op::sum, 1, 1, R, C, 0);
        add("broadcast column", Op::broadcast, R, C, R, 1, 0);
        add("broadcast row", Op::broadcast, R, C, 1, C, 0);
        add("broadcast one", Op::broadcast, R, C, 1, 1, 0);
        add("sliceRows", Op::sliceRows, R, C, R + 9, C, 4);
        add("sliceColumns", Op::sliceColumns, R, C, R, C + 9, 4);
        add("padRows", Op::padRows, R + 9, C, R, C, 4);
    }
}

inline void addRandom(std::vector<Problem>& all, Maker& maker) {
    for (const Sides& e : awkward) {
        const std::string extents = " " + extentsOf(e.rows, e.columns);
        for (const auto& [op, name] : {std::pair{Op::fill, "fill"}, std::pair{Op::uniform, "uniform"},
                                       std::pair{Op::normal, "normal"}}) {
            Problem p = maker.make(op, e.rows, e.columns);
            p.name = name + extents;
            p.call.a = -0.7f;
            p.call.b = 1.9f;
            all.push_back(std::move(p));
        }
        for (float probability : {0.0f, 0.3f, 1.0f}) {
            Problem p = maker.make(Op::dropout, e.rows, e.columns);
            p.name = "dropout" + extents;
            maker.operand(p, 0, e.rows, e.columns);
            maker.operand(p, 1, 1, 1, probability, probability);
            all.push_back(std::move(p));
        }
        for (bool bytes : {false, true}) {
            Problem p = maker.make(Op::drawRows, e.rows, e.columns);
            p.name = std::string(bytes ? "drawRows of bytes" : "drawRows") + extents;
            p.call.tableRows = 11;
            p.table = maker.values(11 * e.columns);
            for (float x : p.table) p.bytes.push_back(uint8_t(40 * (x + 3)));
            (bytes ? p.table.clear() : p.bytes.clear());
            p.call.tableValues = bytes ? nullptr : p.table.data();
            p.call.tableBytes = bytes ? p.bytes.data() : nullptr;
            all.push_back(std::move(p));
        }
    }
}

inline const std::vector<Problem>& all() {
    static const std::vector<Problem> made = [] {
        std::vector<Problem> list;
        Maker maker;
        addPointwise(list, maker);
        addProducts(list, maker);
        addPositions(list, maker);
        addConvolutions(list, maker);
        addAttention(list, maker);
        addMovement(list, maker);
        addRandom(list, maker);
        addRepeats(list, maker);
        addLastAxis(list, maker);
        addNorms(list, maker);
        addLookUp(list, maker);
        addImages(list, maker);
        return list;
    }();
    return made;
}

inline std::vector<const KernelSet*> sets() {
    std::vector<const KernelSet*> present;
    for (const char* name : {"sse", "avx2", "avx512"})
        if (const KernelSet* set = kernelsNamed(name)) present.push_back(set);
    return present;
}

// The problem's output, computed by `set` in pieces of `slab` rows.
inline std::vector<float> solve(const Problem& p, const KernelSet& set, int64_t slab) {
    constexpr float poison = 12345.0f;
    constexpr size_t guard = 64;
    std::vector<float> out(size_t(p.size()) + guard, poison);
    Call<float> call = p.call;
    call.out = out.data();
    std::vector<float> scratch(size_t(scratchSize(call)), poison);
    call.scratch = scratch.data();
    const Kernel<float> kernel = set.kernelFor(call.op);
    for (int64_t row = 0; row < call.rows; row += slab) kernel(call, row, std::min(row + slab, call.rows));
    for (size_t i = size_t(p.size()); i < out.size(); ++i)
        if (out[i] != poison) return {};  // wrote past its end
    out.resize(size_t(p.size()));
    return out;
}

inline bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace problems
