// genscope train --out and genscope sample as a user meets them.
#include <signal.h>

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QImage>
#include <QImageReader>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

namespace {

struct Outcome {
    int code;
    QByteArray out, err;
    bool isOneSentence() const { return err.trimmed().count('\n') == 0 && err.startsWith("genscope: "); }
};

Outcome genscope(const QStringList& arguments) {
    QProcess process;
    process.start(GENSCOPE, arguments);
    process.waitForFinished(240'000);
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
            process.readAllStandardOutput(), process.readAllStandardError()};
}

QJsonObject objectOf(const QByteArray& out) {
    return QJsonDocument::fromJson(out).object();
}

}  // namespace

class TestCliSample : public QObject {
    Q_OBJECT

    QTemporaryDir m_scratch;
    QString at(const char* name) const { return m_scratch.path() + "/" + name; }

  private slots:
    void initTestCase() {
        for (const auto& [name, extra] :
             {std::pair("plane", QStringList{}),
              std::pair("pictures",
                        QStringList{"--set", "data=shapes", "--set", "channels=8", "--set", "batch=16"})}) {
            const Outcome outcome =
                genscope(QStringList{"train", "--lesson", "ddpm", "--steps", "3", "--set", "timesteps=60",
                                     "--set", "width=16", "--quiet", "--out", at(name)} +
                         extra);
            QVERIFY2(outcome.code == 0, outcome.err.constData());
        }
    }

    // Killed at any moment, a training has lost what it did since the last save.
    void aKilledTrainingLeavesItsLastSave() {
        const QString folder = at("killed");
        const QStringList command = {"train", "--lesson", "ddpm",     "--steps", "100000000",
                                     "--set", "width=16", "--out",    folder,    "--save-every",
                                     "1",     "--quiet",  "--replace"};
        for (int delay : {0, 1005}) {
            const QDateTime begun = QDateTime::currentDateTime();
            QProcess process;
            process.start(GENSCOPE, command);
            QVERIFY(QTest::qWaitFor(
                [&] {
                    const QFileInfo saved(folder + "/run.json");
                    return saved.exists() && saved.lastModified() >= begun;
                },
                60'000));
            QTest::qWait(delay);
            process.kill();
            QVERIFY(process.waitForFinished());
            QCOMPARE(process.exitStatus(), QProcess::CrashExit);
            const Outcome sampled =
                genscope({"sample", "--from", folder, "--steps", "2", "--count", "2", "--json", "--quiet"});
            QVERIFY2(sampled.code == 0, sampled.err.constData());
            QVERIFY(objectOf(sampled.out)["training_step"].toInt() > 0);
        }
        // Terminated, it saves once more; and nothing is left of those that were killed.
        QProcess process;
        process.start(GENSCOPE, command + QStringList{"--json"});
        QVERIFY(!process.waitForFinished(1500));
        ::kill(pid_t(process.processId()), SIGTERM);
        QVERIFY(process.waitForFinished(30'000));
        QCOMPARE(process.exitCode(), 128 + SIGTERM);
        const int steps = objectOf(process.readAllStandardOutput())["steps"].toInt();
        const Outcome sampled =
            genscope({"sample", "--from", folder, "--steps", "2", "--count", "2", "--json", "--quiet"});
        QCOMPARE(objectOf(sampled.out)["training_step"].toInt(), steps);
        QCOMPARE(QDir(m_scratch.path()).entryList({".killed*"}, QDir::Dirs | QDir::Hidden), QStringList());
    }

    // In two parts it is the run that it is in one.
    void aSavedRunGoesOn() {
        const QStringList whole = {"train", "--lesson", "ddpm",    "--steps", "9",
                                   "--set", "width=16", "--quiet", "--json",  "--out"};
        QStringList half = whole;
        half[4] = "4";
        QCOMPARE(genscope(whole + QStringList{at("whole")}).code, 0);
        QCOMPARE(genscope(half + QStringList{at("parts")}).code, 0);
        const Outcome there = genscope(half + QStringList{at("parts")});
        QCOMPARE(there.code, 2);
        QVERIFY2(there.isOneSentence() && there.err.contains("--replace"), there.err.constData());
        const QStringList on = {"train",  "--from", at("parts"), "--quiet",
                                "--json", "--out",  at("parts"), "--steps"};
        const Outcome back = genscope(on + QStringList{"4"});
        QCOMPARE(back.code, 2);
        QVERIFY2(back.isOneSentence() && back.err.contains("more than the 4"), back.err.constData());
        const Outcome rest = genscope(on + QStringList{"9"});
        QVERIFY2(rest.code == 0, rest.err.constData());
        QCOMPARE(objectOf(rest.out)["steps"].toInt(), 9);
        QCOMPARE(objectOf(rest.out)["from_step"].toInt(), 4);
        for (const char* file : {"/model.safetensors", "/ema.safetensors", "/optimizer.safetensors"}) {
            QFile one(at("whole") + file), two(at("parts") + file);
            QVERIFY(one.open(QIODevice::ReadOnly) && two.open(QIODevice::ReadOnly));
            QVERIFY2(one.readAll() == two.readAll(), file);
        }
        QCOMPARE(genscope(on.mid(0, 3) + QStringList{"--lesson", "gan"}).code, 2);
    }

    void aSavedRunIsSampled_data() {
        QTest::addColumn<QString>("run");
        QTest::newRow("plane") << "plane";
        QTest::newRow("pictures") << "pictures";
    }
    void aSavedRunIsSampled() {
        QFETCH(QString, run);
        const QString folder = m_scratch.path() + "/" + run;
        QVERIFY(QFile::exists(folder + "/model.safetensors") && QFile::exists(folder + "/run.json"));
        const QStringList command = {"sample",
                                     "--lesson",
                                     "ddpm",
                                     "--from",
                                     folder,
                                     "--sampler",
                                     "ddim",
                                     "--steps",
                                     "6",
                                     "--count",
                                     "5",
                                     "--seed",
                                     "3",
                                     "--json",
                                     "--quiet",
                                     "--out",
                                     at("sheet.png"),
                                     "--trajectory",
                                     at("way.gif")};
        const Outcome first = genscope(command), again = genscope(command + QStringList{"--threads", "1"});
        QVERIFY2(first.code == 0, first.err.constData());
        QVERIFY(first.err.isEmpty());
        const QJsonObject object = objectOf(first.out);
        QCOMPARE(object["steps"].toInt(), 6);
        QCOMPARE(object["evaluations"].toInt(), 6);
        QCOMPARE(object["count"].toInt(), 5);
        QCOMPARE(object["training_step"].toInt(), 3);
        QCOMPARE(object["sampler_knobs"].toObject()["sampler"].toString(), "ddim");
        QCOMPARE(objectOf(again.out)["samples_hash"], object["samples_hash"]);
        const QImage sheet(at("sheet.png"));
        QVERIFY(sheet.width() > 100);
        QImageReader film(at("way.gif"));
        QVERIFY(film.imageCount() >= 6);
        // Another seed, another sheet.
        QStringList other = command;
        other[other.indexOf("3")] = "4";
        QVERIFY(objectOf(genscope(other).out)["samples_hash"] != object["samples_hash"]);
    }

    void whatIsWrongIsOneSentence_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("named");
        const QString plane = at("plane"), cut = at("cut"), foreign = at("foreign");
        const auto copy = [&](const QString& to) {
            QDir().mkpath(to);
            for (const QString& file : QDir(plane).entryList(QDir::Files))
                QFile::copy(plane + "/" + file, to + "/" + file);
        };
        copy(cut);
        QFile(cut + "/model.safetensors").resize(500);
        QDir().mkpath(foreign);
        QFile readme(foreign + "/README");
        QVERIFY(readme.open(QIODevice::WriteOnly));
        QTest::newRow("no folder") << QStringList{"--from", at("none")} << "none";
        QTest::newRow("a file") << QStringList{"--from", plane + "/run.json"} << "run.json";
        QTest::newRow("foreign folder") << QStringList{"--from", foreign} << "run.json";
        QTest::newRow("cut weights") << QStringList{"--from", cut} << "model.safetensors";
        QTest::newRow("other lesson") << QStringList{"--from", plane, "--lesson", "gan"} << "gan";
        QTest::newRow("no such sampler") << QStringList{"--from", plane, "--sampler", "plms"} << "plms";
        QTest::newRow("no such step count")
            << QStringList{"--from", plane, "--steps", "0"} << "sampler_steps";
        QTest::newRow("training knob") << QStringList{"--from", plane, "--set", "lr=0.1"} << "lr";
        QTest::newRow("no value") << QStringList{"--from", plane, "--set", "eta"} << "eta";
        QTest::newRow("not a PNG") << QStringList{"--from", plane, "--out", "x.bmp"} << ".png";
        QTest::newRow("not a GIF") << QStringList{"--from", plane, "--trajectory", "x.mp4"} << ".gif";
        QTest::newRow("count") << QStringList{"--from", plane, "--count", "0"} << "--count";
        QTest::newRow("nothing") << QStringList{} << "--from";
    }
    void whatIsWrongIsOneSentence() {
        QFETCH(QStringList, arguments);
        QFETCH(QString, named);
        const Outcome outcome = genscope(QStringList{"sample"} + arguments);
        QCOMPARE(outcome.code, 2);
        QVERIFY2(outcome.isOneSentence() && outcome.err.contains(named.toUtf8()), outcome.err.constData());
        QVERIFY(outcome.out.isEmpty());
    }

    void whereNothingCanBeWrittenIsSaid() {
        const Outcome picture = genscope(
            {"sample", "--from", at("plane"), "--steps", "2", "--quiet", "--out", "/proc/none/x.png"});
        QCOMPARE(picture.code, 73);
        QVERIFY(picture.isOneSentence());
        const Outcome run = genscope({"train", "--lesson", "ddpm", "--steps", "1", "--set", "width=16",
                                      "--quiet", "--out", "/proc/none/run"});
        QCOMPARE(run.code, 73);
        QVERIFY(run.isOneSentence());
        QVERIFY2(run.err.contains("/proc/none/run: "), run.err.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliSample)
#include "tst_cli_sample.moc"
