// Fashion-MNIST (Xiao et al. 2017): 28 x 28 grey pictures of ten kinds of clothing, as Debian installs it.
#pragma once

#include "core/data/images.h"

namespace core {

enum class Split { train, test };  // 60000 and 10000 pictures

// True where all four files are there. The folder is /usr/share/datasets/fashion-mnist, or what the
// environment variable GENSCOPE_FASHION_MNIST says.
bool fashionMnistInstalled();

// The set; as long as somebody holds its images, the next caller shares them. May be called from any thread.
// Throws one sentence that says how to install it where it is missing.
ImageSet fashionMnist(Split split);

const std::vector<ClassName>& fashionMnistClasses();

}  // namespace core
