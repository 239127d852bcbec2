// The command line as a user meets it: what stands on stdout, on stderr, and in the exit code.
#include <signal.h>

#include <QFile>
#include <QImage>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QProcessEnvironment>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

namespace {

struct Outcome {
    int code;
    QByteArray out, err;
    int errorLines() const { return int(err.trimmed().split('\n').size()); }
};

Outcome genscope(const QStringList& arguments, const QMap<QString, QString>& environment = {}) {
    QProcess process;
    QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
    env.remove("DISPLAY");
    env.remove("WAYLAND_DISPLAY");
    env.remove("QT_QPA_PLATFORM");
    for (auto it = environment.begin(); it != environment.end(); ++it) env.insert(it.key(), it.value());
    process.setProcessEnvironment(env);
    process.start(GENSCOPE, arguments);
    process.waitForFinished(240'000);
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
            process.readAllStandardOutput(), process.readAllStandardError()};
}

QJsonObject objectOf(const QByteArray& out) {
    QJsonParseError fault;
    const QJsonDocument document = QJsonDocument::fromJson(out, &fault);
    return fault.error == QJsonParseError::NoError ? document.object() : QJsonObject();
}

// A card by the tests' own plugin.
QMap<QString, QString> card(const QString& told = {}) {
    return {{"GENSCOPE_CUDA_PLUGIN", HOST_CARD}, {"GENSCOPE_HOST_CARD", told}};
}

const QStringList shortTraining = {"train",  "--lesson", "gan",     "--preset", "ring8",
                                   "--seed", "1",        "--steps", "40",       "--json"};

}  // namespace

class TestCli : public QObject {
    Q_OBJECT

  private slots:
    void jsonIsOneObjectWithEveryFigure() {
        const Outcome outcome = genscope(shortTraining);
        QCOMPARE(outcome.code, 0);
        QCOMPARE(outcome.out.count('\n'), 1);
        const QJsonObject object = objectOf(outcome.out);
        for (const char* key : {"lesson", "preset", "seed", "steps", "seconds", "steps_per_second", "device",
                                "parameter_hash", "modes_covered", "jsd", "d_mean", "loss_d", "loss_g"})
            QVERIFY2(object.contains(key), key);
        QCOMPARE(object["steps"].toInt(), 40);
        QCOMPARE(object["lesson"].toString(), "gan");
        QVERIFY(object["device"].toString().startsWith("CPU"));
        QCOMPARE(object["parameter_hash"].toString().size(), 16);
        QVERIFY(object["loss_d"].toDouble() > 0);
        QVERIFY(object["modes_covered"].toDouble() <= 8);
        QVERIFY(!outcome.err.isEmpty());  // the progress
    }

    void quietSaysNothingOnStderr() {
        const Outcome outcome = genscope(shortTraining + QStringList{"--quiet"});
        QCOMPARE(outcome.code, 0);
        QCOMPARE(outcome.err, QByteArray());
    }

    void sameSeedGivesTheSameParameters() {
        const auto hash = [](const QStringList& more) {
            return objectOf(genscope(shortTraining + more).out)["parameter_hash"].toString();
        };
        const QString first = hash({});
        QVERIFY(!first.isEmpty());
        QCOMPARE(hash({}), first);
        QCOMPARE(hash({"--threads", "1"}), first);
        QVERIFY(hash({"--set", "lr_g=0.002"}) != first);
    }

    void withoutStepsThePresetsBudgetIsTrained() {
        const Outcome outcome = genscope({"train", "--preset", "figure1", "--json", "--quiet"});
        QCOMPARE(outcome.code, 0);
        QVERIFY(objectOf(outcome.out)["steps"].toInt() >= 500);
    }

    void tableNamesTheFigures() {
        const Outcome outcome = genscope({"train", "--steps", "5", "--quiet"});
        QCOMPARE(outcome.code, 0);
        QVERIFY(outcome.out.contains("parameter_hash"));
        QVERIFY(outcome.out.contains("loss_d"));
    }

    void wrongUsageIsOneSentence_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("names");
        QTest::newRow("verb") << QStringList{"dance"} << QByteArray("dance");
        QTest::newRow("option") << QStringList{"train", "--dance"} << QByteArray("--dance");
        QTest::newRow("lesson") << QStringList{"train", "--lesson", "gnu"} << QByteArray("gnu");
        QTest::newRow("preset") << QStringList{"train", "--preset", "ring9"} << QByteArray("ring9");
        QTest::newRow("knob") << QStringList{"train", "--set", "speed=3"} << QByteArray("speed");
        QTest::newRow("range") << QStringList{"train", "--set", "lr_g=99"} << QByteArray("lr_g");
        QTest::newRow("not a number") << QStringList{"train", "--set", "lr_g=fast"} << QByteArray("fast");
        QTest::newRow("not an option") << QStringList{"train", "--set", "loss=sad"} << QByteArray("sad");
        QTest::newRow("no equals") << QStringList{"train", "--set", "lr_g"} << QByteArray("lr_g");
        QTest::newRow("steps") << QStringList{"train", "--steps", "0"} << QByteArray("--steps");
        QTest::newRow("seed") << QStringList{"train", "--seed", "x"} << QByteArray("--seed");
        QTest::newRow("size") << QStringList{"shot", "--out", "a.png", "--size", "big"} << QByteArray("big");
        QTest::newRow("no file") << QStringList{"shot"} << QByteArray("--out");
        QTest::newRow("workload") << QStringList{"bench", "--only", "nothing"} << QByteArray("nothing");
    }
    void wrongUsageIsOneSentence() {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, names);
        const Outcome outcome = genscope(arguments);
        QCOMPARE(outcome.code, 2);
        QCOMPARE(outcome.out, QByteArray());
        QCOMPARE(outcome.errorLines(), 1);
        QVERIFY2(outcome.err.contains(names), outcome.err.constData());
    }

    void cudaIsRefusedWhereThereIsNone() {
        for (const QStringList& verb : {QStringList{"train", "--steps", "1"}, QStringList{"bench"},
                                        QStringList{"shot", "--out", "a.png"}, QStringList()}) {
            const Outcome outcome =
                genscope(verb + QStringList{"--device", "cuda"}, {{"GENSCOPE_CUDA_PLUGIN", "/nonexistent"}});
            QCOMPARE(outcome.code, 69);
            QCOMPARE(outcome.errorLines(), 1);
            QVERIFY2(outcome.err.contains("no CUDA plugin"), outcome.err.constData());
        }
        const Outcome old = genscope({"train", "--steps", "1", "--device", "cuda"}, card("old"));
        QCOMPARE(old.code, 69);
        QVERIFY2(old.err.contains("driver"), old.err.constData());
    }

    void aCardTrainsARun() {
        const Outcome outcome = genscope(shortTraining + QStringList{"--device", "cuda", "--exact"}, card());
        QVERIFY2(outcome.code == 0, outcome.err.constData());
        const QJsonObject object = objectOf(outcome.out);
        QCOMPARE(object["device"].toString(), QString("Host card, FP32"));
        QCOMPARE(object["steps"].toInt(), 40);
        const QJsonObject here = objectOf(genscope(shortTraining).out);
        QVERIFY(std::abs(object["loss_d"].toDouble() - here["loss_d"].toDouble()) < 1e-3);
        // The same run, repeated where it was made.
        const Outcome again = genscope(
            {"train", "--run", object["run"].toString(), "--json", "--device", "cuda", "--exact"}, card());
        QCOMPARE(objectOf(again.out)["parameter_hash"], object["parameter_hash"]);
    }

    void aCardThatFailsEndsTheTrainingWithASentence() {
        const Outcome outcome = genscope(shortTraining + QStringList{"--device", "cuda", "--quiet"},
                                         card("lost replay 3 the card has fallen off the bus"));
        QCOMPARE(outcome.code, 1);
        QCOMPARE(outcome.errorLines(), 1);
        QVERIFY2(outcome.err.contains("fallen off the bus"), outcome.err.constData());
    }

    void benchCountsACardsLaunches() {
        const Outcome outcome =
            genscope({"bench", "--only", "gan2d", "--seconds", "0.1", "--json", "--device", "cuda"}, card());
        QVERIFY2(outcome.code == 0, outcome.err.constData());
        const QJsonObject gan = objectOf(outcome.out)["workloads"].toObject()["gan2d"].toObject();
        QVERIFY(gan["milliseconds"].toDouble() > 0);
        QVERIFY(gan["launches"].toInt() > gan["depth"].toInt() && gan["depth"].toInt() > 10);
    }

    void benchTimesAWorkloadAgainstAPeer() {
        // Stands for Python: says what it is, and that every step takes an hour.
        QTemporaryDir folder;
        const QString peer = folder.filePath("peer");
        QFile script(peer);
        QVERIFY(script.open(QIODevice::WriteOnly));
        script.write(
            "#!/bin/sh\necho '# a slow peer'\necho ready\n"
            "while read -r mode seconds; do echo \"$mode 3600000\"; done\n");
        script.close();
        QVERIFY(script.setPermissions(QFile::ReadOwner | QFile::ExeOwner));
        const Outcome outcome = genscope(
            {"bench", "--only", "plane", "--threads", "1", "--seconds", "0.1", "--json", "--against", peer});
        QVERIFY2(outcome.code == 0, outcome.err.constData());
        const QJsonObject result = QJsonDocument::fromJson(outcome.out).object();
        QCOMPARE(result["workloads"].toObject().size(), 1);
        const QJsonObject plane = result["workloads"].toObject()["plane"].toObject();
        const double ms = plane["milliseconds"].toDouble(), share = plane["share_of_peak"].toDouble();
        QVERIFY(ms > 0 && ms < 60000);
        QVERIFY(std::abs(plane["ratio"].toDouble() * ms - 3.6e6) < 1);
        QVERIFY(share > 0 && share < 1.5);
        QCOMPARE(plane["compiled_ms"].toDouble(), 3.6e6);
        QVERIFY(result["peer"].toString().contains("a slow peer"));
    }

    void withoutADisplayTheHeadlessVerbsAreNamed() {
        const Outcome outcome = genscope({});
        QCOMPARE(outcome.code, 69);
        QCOMPARE(outcome.errorLines(), 1);
        QVERIFY(outcome.err.contains("train"));
        QVERIFY(outcome.err.contains("shot"));
        // A server that is not there is the same as none.
        QCOMPARE(genscope({}, {{"DISPLAY", ":987"}}).code, 69);
    }

    void missingDataSetIsOneSentence() {
        const Outcome outcome = genscope({"train", "--preset", "fashion", "--steps", "1", "--json"},
                                         {{"GENSCOPE_FASHION_MNIST", "/nonexistent"}});
        QCOMPARE(outcome.code, 1);
        QCOMPARE(outcome.out, QByteArray());
        QVERIFY2(outcome.err.contains("dataset-fashion-mnist"), outcome.err.constData());
    }

    void ownDataIsTrainedOnAndTheRunRepeated() {
        const QTemporaryDir folder;
        const auto write = [&](const QString& name, const QByteArray& text) {
            QFile file(folder.filePath(name));
            return file.open(QIODevice::WriteOnly) && file.write(text) == text.size() ? file.fileName() : "";
        };
        QByteArray points;
        for (int i = 0; i < 100; ++i)
            points += QByteArray::number(i % 10) + " " + QByteArray::number(i / 10) + "\n";
        const QStringList training = {"train", "--preset", "ring8", "--steps", "10", "--json", "--quiet"};
        const Outcome outcome = genscope(training + QStringList{"--data", write("mine.csv", points)});
        QVERIFY2(outcome.code == 0, outcome.err.constData());
        const QJsonObject object = objectOf(outcome.out);
        QVERIFY(object["parameter_hash"] != objectOf(genscope(training).out)["parameter_hash"]);

        // The run as text: as it is, and in a file.
        const QString line = object["run"].toString();
        for (const QString& run : {line, write("a.run", line.toUtf8() + "\n")}) {
            const Outcome again = genscope({"train", "--run", run, "--json", "--quiet"});
            QVERIFY2(again.code == 0, again.err.constData());
            QCOMPARE(objectOf(again.out)["parameter_hash"], object["parameter_hash"]);
            QCOMPARE(objectOf(again.out)["steps"].toInt(), 10);
        }
        write("mine.csv", points + "1 1\n");
        const Outcome changed = genscope({"train", "--run", line});
        QCOMPARE(changed.code, 1);
        QVERIFY2(changed.err.contains("changed"), changed.err.constData());

        for (const QByteArray& bad : {QByteArray("1,2\nx,y\n"), QByteArray("\0\1\2", 3), QByteArray()}) {
            const Outcome refused = genscope({"train", "--data", write("bad.csv", bad)});
            QCOMPARE(refused.code, 1);
            QCOMPARE(refused.out, QByteArray());
            QCOMPARE(refused.errorLines(), 1);
            QVERIFY2(refused.err.contains("bad.csv"), refused.err.constData());
        }
        QCOMPARE(genscope({"train", "--data", folder.filePath("none.csv")}).code, 1);
        QCOMPARE(genscope({"train", "--run", line, "--lesson", "vae"}).code, 2);
    }

    void interruptEndsTheRunWithWhatItHas() {
        QProcess process;
        process.start(GENSCOPE, {"train", "--preset", "ring8", "--steps", "100000000", "--json"});
        QVERIFY(process.waitForStarted());
        QVERIFY(QTest::qWaitFor([&] { return !process.readAllStandardError().isEmpty(); }, 20'000));
        ::kill(pid_t(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(30'000));
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        QCOMPARE(process.exitCode(), 130);
        const QJsonObject object = objectOf(process.readAllStandardOutput());
        QVERIFY(object["steps"].toInt() > 0);
        QVERIFY(object["interrupted"].toBool());
    }

    void doctorFindsTheMachine() {
        const Outcome outcome = genscope({"doctor", "--json"});
        QCOMPARE(outcome.code, 0);
        const QJsonObject object = objectOf(outcome.out);
        for (const char* key :
             {"cpu", "instruction_set", "cores", "qt", "opengl", "font", "fashion_mnist", "cuda"})
            QVERIFY2(object.contains(key), key);
        QVERIFY(object["opengl"].toObject()["ok"].toBool());
    }

    void aCutPictureIsOneSentence() {
        QFile whole(SOURCE_DIR "/assets/pictures/window.png");
        QVERIFY(whole.open(QIODevice::ReadOnly));
        QTemporaryDir folder;
        QFile cut(folder.filePath("cut.png"));
        QVERIFY(cut.open(QIODevice::WriteOnly) && cut.write(whole.read(30'000)) == 30'000);
        cut.close();
        const Outcome outcome =
            genscope({"train", "--preset", "ring8", "--steps", "1", "--data", cut.fileName()});
        QVERIFY(outcome.code != 0);
        QCOMPARE(outcome.err.trimmed().count('\n'), 0);
        QVERIFY2(outcome.err.contains("cut.png: expected a sound picture"), outcome.err.constData());
    }

    void shotWritesAPictureOfTheAskedSize() {
        const QTemporaryDir folder;
        const QString path = folder.filePath("a.png");
        const Outcome outcome =
            genscope({"shot", "--preset", "ring8", "--steps", "20", "--size", "1280x800", "--out", path});
        QVERIFY2(outcome.code == 0, outcome.err.constData());
        const QImage picture(path);
        QCOMPARE(picture.size(), QSize(1280, 800));
        QVERIFY(picture.text("parameters").contains("step 20"));
        // The pane is drawn: its middle is not one flat colour.
        QSet<QRgb> colours;
        for (int y = 200; y < 600; y += 3)
            for (int x = 300; x < 800; x += 3) colours.insert(picture.pixel(x, y));
        QVERIFY2(colours.size() > 50, qPrintable(QString::number(colours.size())));
    }

    void shotOfOnePanelIsThatPanel() {
        const QTemporaryDir folder;
        const QString path = folder.filePath("panel.png");
        QCOMPARE(genscope({"shot", "--preset", "ring8", "--panel", "plane", "--out", path}).code, 0);
        const QImage picture(path);
        QVERIFY(picture.width() > 200 && picture.width() < 1200);
        // One that has no room in a window of this size.
        QCOMPARE(
            genscope({"shot", "--preset", "ring8", "--panel", "losses", "--size", "960x640", "--out", path})
                .code,
            0);
        QVERIFY(QImage(path).width() > 200);
        const Outcome wrong = genscope({"shot", "--preset", "ring8", "--panel", "plan", "--out", path});
        QCOMPARE(wrong.code, 2);
        QVERIFY(wrong.err.contains("plane"));
    }

    void shotThatCannotBeWrittenSaysSo() {
        const Outcome outcome = genscope({"shot", "--out", "/nonexistent/a.png"});
        QCOMPARE(outcome.code, 73);
        QVERIFY(outcome.err.contains("/nonexistent"));
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
