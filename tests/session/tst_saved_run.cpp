// Runs as folders of files: what comes back is what was saved, and nothing else is taken for one.
#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <fstream>

#include "core/session/run.h"
#include "core/session/saved_run.h"
#include "tests/support/small.h"

using namespace core;
using support::small;

namespace {

std::unique_ptr<Run> trained(const std::string& lesson, const std::string& preset, int steps) {
    auto run = std::make_unique<Run>(small(lesson, preset));
    for (int i = 0; i < steps; ++i) run->step();
    return run;
}

std::string textOf(const std::vector<uint8_t>& bytes) {
    return {bytes.begin(), bytes.end()};
}
std::vector<uint8_t> bytesOf(const std::string& text) {
    return {text.begin(), text.end()};
}

// What the files of a small run say when something is done to them; empty if they are accepted.
template <class Change>
QString complaintAfter(Change change) {
    static const RunFiles good = filesOf(trained("ddpm", "plane-ring8", 3)->saved());
    RunFiles files = good;
    change(files);
    try {
        Run::open(readRun(files), 1);
        return {};
    } catch (const Error& e) {
        return e.what();
    }
}

void replace(RunFiles& files, const std::string& name, const std::string& from, const std::string& to) {
    std::string text = textOf(files.at(name));
    const size_t at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("the test has nothing to replace: " + from);
    text.replace(at, from.size(), to);
    files[name] = bytesOf(text);
}

}  // namespace

class TestSavedRun : public QObject {
    Q_OBJECT

  private slots:
    // Every lesson's run goes on bit for bit where it was saved.
    void whatComesBackGoesOnAsItWouldHave_data() { support::addPresets(); }
    void whatComesBackGoesOnAsItWouldHave() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        const std::unique_ptr<Run> run = trained(lesson.toStdString(), preset.toStdString(), 3);
        run->set("lr" + std::string(lesson == "gan" ? "_g" : ""), 0.0123);
        run->step();
        const RunFiles files = filesOf(run->saved());
        const std::unique_ptr<Run> again = Run::open(readRun(files), 1);
        QCOMPARE(again->stepCount(), int64_t(4));
        QCOMPARE(again->settings(), run->settings());
        QCOMPARE(again->parameterHash(), run->parameterHash());
        for (int i = 0; i < 2; ++i) {
            run->step();
            again->step();
        }
        QCOMPARE(again->parameterHash(), run->parameterHash());
        QCOMPARE(again->journal().toLine(), run->journal().toLine());
        // And what came before can be gone back to, and come back from at once.
        again->goTo(0);
        again->goTo(4, [] { return true; });
        QCOMPARE(again->stepCount(), int64_t(4));
        again->goTo(6);
        QCOMPARE(again->parameterHash(), run->parameterHash());
        again->goTo(2);
        run->goTo(2);
        QCOMPARE(again->parameterHash(), run->parameterHash());
    }

    void weightsHaveTheNamesAndShapesOfPyTorch() {
        const SavedRun plane = trained("ddpm", "plane-ring8", 1)->saved();
        QCOMPARE(plane.model.tensors.at("inp.weight").extents, (std::vector<int64_t>{12, 2}));
        QVERIFY(plane.model.tensors.count("t_mlp.0.weight") && plane.model.tensors.count("mid.2.bias"));
        QCOMPARE(plane.averages.tensors.size(), plane.model.tensors.size());
        const SavedRun unet = Run(small("ddpm", "fashion", {{"data", "shapes"}, {"channels", "8"}})).saved();
        QCOMPARE(unet.model.tensors.at("conv_in.weight").extents, (std::vector<int64_t>{8, 1, 3, 3}));
        QVERIFY(unet.model.tensors.count("down.0.norm1.weight") &&
                unet.model.tensors.count("mid_attn.qkv.weight"));
    }

    void averagesAloneAreARun() {
        const std::unique_ptr<Run> run = trained("ddpm", "plane-ring8", 5);
        SavedRun saved = run->saved();
        saved.model = {};
        saved.optimizer = {};
        const std::unique_ptr<Run> again = Run::open(readRun(filesOf(saved)), 1);
        QCOMPARE(again->saved().averages.tensors.at("inp.weight").values,
                 saved.averages.tensors.at("inp.weight").values);
        QCOMPARE(again->saved().model.tensors.at("inp.weight").values,
                 saved.averages.tensors.at("inp.weight").values);
    }

    void theSamplesOfASavedRunAreThoseOfTheRun() {
        const std::unique_ptr<Run> run = trained("ddpm", "plane-ring8", 5);
        const std::unique_ptr<Run> again = Run::open(readRun(filesOf(run->saved())), 2);
        for (Run* r : {run.get(), again.get()}) {
            r->sample(1, {.changes = {{"sampler_steps", 5}}, .seed = 3, .count = 8});
            while (r->sampleMore()) {
            }
        }
        const auto last = [](Run& r) {
            return r.samplings().published()->find(1)->values(Trajectory::state, 5);
        };
        QCOMPARE(last(*again), last(*run));
    }

    // ---- what is not a run

    void everyFaultIsOneSentenceThatNamesItsFile() {
        const auto says = [](const QString& complaint, const char* what) {
            const bool good = complaint.contains(what) && complaint.count('\n') == 0;
            if (!good) qWarning("%s", qPrintable(complaint));
            return good;
        };
        QVERIFY(complaintAfter([](RunFiles&) {}).isEmpty());
        QVERIFY(says(complaintAfter([](RunFiles& f) { f.erase("run.json"); }),
                     "run.json: expected a folder of a run"));
        QVERIFY(says(complaintAfter([](RunFiles& f) { f["run.json"] = bytesOf("not json"); }),
                     "run.json: expected JSON"));
        QVERIFY(says(complaintAfter([](RunFiles& f) { f["run.json"] = bytesOf("[[[[[[[[[1]]]]]]]]]"); }),
                     "run.json"));
        QVERIFY(says(complaintAfter([](RunFiles& f) { f["run.json"] = bytesOf("{}"); }),
                     "run.json: expected a run"));
        QVERIFY(says(
            complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"version\": 1", "\"version\": 7"); }),
            "run.json: expected version 1, got 7"));
        QVERIFY(
            says(complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"step\": 3", "\"step\": -3"); }),
                 "run.json: expected a step"));
        QVERIFY(says(
            complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"step\": 3", "\"step\": \"x\""); }),
            "run.json"));
        QVERIFY(says(complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"ddpm\"", "\"nothing\""); }),
                     "nothing"));
        QVERIFY(says(
            complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"width\": 12.0", "\"width\": 1e9"); }),
            "width"));
        QVERIFY(says(
            complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"width\": 12", "\"girth\": 12"); }),
            "girth"));
        QVERIFY(says(complaintAfter([](RunFiles& f) {
                         f["journal.jsonl"] = bytesOf("{\"step\": 9, \"knob\": \"lr\", \"value\": 1}");
                     }),
                     "journal.jsonl, line 1: expected a step from 0 to 3, got 9"));
        QVERIFY(says(complaintAfter([](RunFiles& f) { f["journal.jsonl"] = bytesOf("{\"knob\": 1}\n"); }),
                     "journal.jsonl, line 1"));
        QVERIFY(says(
            complaintAfter([](RunFiles& f) { f.erase("model.safetensors"), f.erase("ema.safetensors"); }),
            "model.safetensors: expected the weights"));
        // Weights of another network: of another width, and of another kind.
        QVERIFY(says(
            complaintAfter([](RunFiles& f) { replace(f, "run.json", "\"width\": 12", "\"width\": 14"); }),
            "model.safetensors: expected t_mlp.0.weight of shape [14, 14], got [12, 12]"));
        QVERIFY(says(complaintAfter([](RunFiles& f) {
                         f["model.safetensors"] =
                             filesOf(trained("gan", "ring8", 1)->saved())["model.safetensors"];
                     }),
                     "model.safetensors: expected"));
        QVERIFY(says(complaintAfter([](RunFiles& f) {
                         replace(f, "optimizer.safetensors", "update.0.steps", "update.9.steps");
                     }),
                     "optimizer.safetensors"));
    }

    // Cut anywhere, or with any byte changed, the weights are refused or complete; nothing crashes.
    void damagedWeightsAreRefused() {
        const std::vector<uint8_t> good =
            filesOf(trained("ddpm", "plane-ring8", 1)->saved())["model.safetensors"];
        for (size_t length = 0; length < good.size(); length += 97)
            QVERIFY(!complaintAfter([&](RunFiles& f) { f["model.safetensors"].resize(length); }).isEmpty());
        for (size_t at = 0; at < 400; at += 3) {
            const QString complaint =
                complaintAfter([&](RunFiles& f) { f["model.safetensors"][at] ^= 0x55; });
            QVERIFY(complaint.isEmpty() || complaint.startsWith("model.safetensors"));
        }
        const QString notFinite = complaintAfter([](RunFiles& f) {
            std::fill(f["model.safetensors"].end() - 4, f["model.safetensors"].end(), uint8_t(0xff));
        });
        QVERIFY(notFinite.startsWith("model.safetensors: expected finite numbers"));
    }

    void limitsAreKept() {
        const RunFiles files = filesOf(trained("ddpm", "plane-ring8", 1)->saved());
        QVERIFY_THROWS_EXCEPTION(Error, readRun(files, {.textBytes = 10}));
        QVERIFY_THROWS_EXCEPTION(Error, readRun(files, {.weightBytes = 10}));
    }

    // ---- folders

    void foldersAreWrittenWholeAndReplaced() {
        QTemporaryDir scratch;
        const std::filesystem::path folder = (scratch.path() + "/run").toStdString();
        const std::unique_ptr<Run> run = trained("ddpm", "plane-ring8", 1);
        writeFolder(folder, filesOf(run->saved()));
        run->step();
        writeFolder(folder / "", filesOf(run->saved()));
        QCOMPARE(readRun(readFolder(folder)).journal.step, int64_t(2));
        // Nothing else is left beside it.
        QCOMPARE(QDir(scratch.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot),
                 QStringList{"run"});
        // A folder with something of somebody else's is left alone.
        std::ofstream(folder / "thesis.tex") << "two years";
        QVERIFY_THROWS_EXCEPTION(Error, writeFolder(folder, filesOf(run->saved())));
        QVERIFY(std::filesystem::exists(folder / "thesis.tex"));
        QVERIFY_THROWS_EXCEPTION(Error, writeFolder("/proc/none/run", filesOf(run->saved())));
    }

    void onlyRegularFilesAreRead() {
        QTemporaryDir scratch;
        const std::filesystem::path folder = scratch.path().toStdString();
        QVERIFY_THROWS_EXCEPTION(Error, readFolder(folder / "none"));
        std::filesystem::create_symlink("/dev/zero", folder / "run.json");
        QVERIFY_THROWS_EXCEPTION(Error, readFolder(folder));
        std::filesystem::remove(folder / "run.json");
        std::filesystem::create_directory(folder / "run.json");
        QVERIFY_THROWS_EXCEPTION(Error, readFolder(folder));
    }
};

QTEST_GUILESS_MAIN(TestSavedRun)
#include "tst_saved_run.moc"
