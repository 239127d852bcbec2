#include "core/data/fashion_mnist.h"

#include <cstdlib>
#include <map>
#include <mutex>

#include "core/base/error.h"
#include "core/data/idx.h"

namespace core {
namespace {

namespace fs = std::filesystem;

struct Files {
    const char *images, *labels;
};
constexpr Files filesOf(Split split) {
    return split == Split::train ? Files{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}
                                 : Files{"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
}

fs::path folder() {
    const char* own = std::getenv("GENSCOPE_FASHION_MNIST");
    return own && *own ? own : "/usr/share/datasets/fashion-mnist";
}

bool isThere(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

ImageSet load(const fs::path& from, Split split) {
    constexpr int side = 28;
    const fs::path images = from / filesOf(split).images, labels = from / filesOf(split).labels;
    for (const fs::path& path : {images, labels})
        CHECK(isThere(path),
              "Fashion-MNIST: expected the file {}, but it is not there; "
              "`sudo apt install dataset-fashion-mnist` brings it",
              path.string());

    ImageSet set = loadIdxImages(images, labels);
    CHECK(set.width == side && set.height == side, "{}: expected pictures of 28 x 28, got {} x {}",
          images.string(), set.width, set.height);
    CHECK(set.classes.size() <= fashionMnistClasses().size(), "{}: expected labels 0 to 9, got {}",
          labels.string(), set.classes.size() - 1);
    set.name = "Fashion-MNIST";
    set.classes = fashionMnistClasses();
    return set;
}

}  // namespace

const std::vector<ClassName>& fashionMnistClasses() {
    static const std::vector<ClassName> classes{
        {"T-shirt/top", "T恤"}, {"Trouser", "裤子"},   {"Pullover", "套头衫"}, {"Dress", "连衣裙"},
        {"Coat", "外套"},       {"Sandal", "凉鞋"},    {"Shirt", "衬衫"},      {"Sneaker", "运动鞋"},
        {"Bag", "包"},          {"Ankle boot", "短靴"}};
    return classes;
}

bool fashionMnistInstalled() {
    const fs::path from = folder();
    for (Split split : {Split::train, Split::test})
        if (!isThere(from / filesOf(split).images) || !isThere(from / filesOf(split).labels)) return false;
    return true;
}

ImageSet fashionMnist(Split split) {
    // The pictures are held weakly and go with their last user; what stays is 70 kB of labels.
    struct Kept {
        std::weak_ptr<const Table> images;
        ImageSet rest;
    };
    static std::mutex mutex;
    static std::map<std::pair<fs::path, Split>, Kept> cache;

    const fs::path from = folder();
    // Held while loading, so that two runs that start together read the files once.
    const std::lock_guard lock(mutex);
    Kept& kept = cache[{from, split}];
    if (TablePtr images = kept.images.lock()) {
        ImageSet set = kept.rest;
        set.images = std::move(images);
        return set;
    }
    ImageSet set = load(from, split);
    kept.images = set.images;
    kept.rest = set;
    kept.rest.images = nullptr;
    return set;
}

}  // namespace core
