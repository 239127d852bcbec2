// Where a run's numbers lie in memory.
#include <QtTest>

#include <fstream>
#include <sstream>

#include "core/base/buffer.h"

using namespace core;

namespace {

// Has the system been asked for huge pages at this address? By what Linux says of the process's mappings.
bool asksForHugePages(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<uintptr_t>(address);
    bool inside = false;
    for (std::string text; std::getline(maps, text);) {
        uintptr_t begin = 0, end = 0;
        char dash = 0;
        std::istringstream range(text);
        if (range >> std::hex >> begin >> dash >> end && dash == '-')
            inside = begin <= wanted && wanted < end;
        if (inside && text.starts_with("VmFlags:")) return text.find(" hg") != std::string::npos;
    }
    return false;
}

class TestBuffer : public QObject {
    Q_OBJECT

  private slots:
    void everyBufferStartsOnALine() {
        for (size_t size : {1, 17, 1000, 524287, 524288, 3000001}) {
            const Buffer buffer(size);
            QCOMPARE(reinterpret_cast<uintptr_t>(buffer.data()) % 64, uintptr_t(0));
            QVERIFY(std::all_of(buffer.begin(), buffer.end(), [](float x) { return x == 0; }));
        }
    }

    void aLargeBufferAsksForHugePages() {
        if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"))
            QSKIP("this system has no transparent huge pages");
        const Buffer large(size_t(1) << 22);
        QVERIFY(asksForHugePages(large.data()));
        QVERIFY(asksForHugePages(large.data() + large.size() - 1));
    }
};

}  // namespace

QTEST_APPLESS_MAIN(TestBuffer)
#include "tst_buffer.moc"
