// Who may include whom: the directions of the design, read from every source file.
#include <QtTest>

#include <QDirIterator>
#include <QRegularExpression>

namespace {

struct Include {
    QString path;
    bool system = false;  // <...>
};

// What stands between two slashes at most: "core/graph", "views", "app".
QString layerOf(const QString& path) {
    const QStringList parts = path.split('/');
    return parts[0] == "core" && parts.size() > 2 ? parts[0] + "/" + parts[1] : parts[0];
}

// The layers that a layer may include besides itself.
const QMap<QString, QStringList>& allowed() {
    static const QMap<QString, QStringList> table = {
        {"core/base", {}},
        {"core/contract", {"core/base"}},
        {"core/graph", {"core/base"}},
        {"core/data", {"core/base"}},
        {"core/nn", {"core/base", "core/graph"}},
        {"core/lessons", {"core/base", "core/contract", "core/graph", "core/nn", "core/data"}},
        {"core/cpu", {"core/base", "core/contract", "core/graph"}},
        {"core/cuda", {"core/base", "core/contract", "core/graph"}},
        {"core/session", {"core/base", "core/contract", "core/graph", "core/cpu", "core/cuda"}},
        {"views", {"core/contract"}},
        {"app",
         {"core/base", "core/contract", "core/graph", "core/cpu", "core/data", "core/session", "views"}}};
    return table;
}

// Headers of a layer that others may see although the layer as a whole is closed to them.
bool isOpen(const QString& from, const QString& header) {
    if (header == "core/lessons/lesson.h") return from == "core/session" || from == "app";
    // Saved runs are files in PyTorch's order.
    if (header == "core/data/safetensors.h" || header == "core/nn/torch_order.h")
        return from == "core/session";
    // The bench times recordings that belong to no lesson.
    if (header == "core/nn/workloads.h") return from == "core/session";
    // What the contract's own headers include comes with them.
    if (header == "core/base/shape.h" || header == "core/base/error.h") return from == "views";
    return false;
}

// What is wrong with this include in this file; empty if nothing is.
QString fault(const QString& file, const Include& include) {
    const QString from = layerOf(file);
    const QString& to = include.path;
    static const QRegularExpression qt("^(Q[A-Z]|Qt)"), gui("^(imgui|GL/|epoxy/|GLES|GLFW|EGL/)"),
        cuda("^(cuda|cublas|cudnn|nvrtc)");
    if (include.system) {
        if (from.startsWith("core") && (qt.match(to).hasMatch() || gui.match(to).hasMatch()))
            return "core knows neither Qt nor OpenGL nor Dear ImGui";
        if (from == "views" && qt.match(to).hasMatch()) return "views do not know Qt";
        if (from != "core/cuda" && cuda.match(to).hasMatch()) return "CUDA stays under core/cuda";
        return {};
    }
    if (gui.match(to).hasMatch()) return from == "views" || from == "app" ? "" : "core draws nothing";
    if (!to.contains('/')) return "includes begin at the top of the tree";
    const QString target = layerOf(to);
    if (target == from) {
        const bool sibling = file.startsWith("core/lessons/") || file.startsWith("views/lessons/");
        // gan_view.cpp, gan_panels.h and gan/plane.h are one lesson's.
        static const QRegularExpression afterId("[_./].*");
        const auto lesson = [](const QString& path) { return path.section("lessons/", 1).remove(afterId); };
        const bool own = lesson(to) == lesson(file);
        if (sibling && to.contains("/lessons/") && to != "core/lessons/lesson.h" && !own)
            return "lessons do not include each other";
        return {};
    }
    if (!allowed().contains(from)) return "a folder that the design does not know";
    if (allowed()[from].contains(target) || isOpen(from, to)) return {};
    return from + " may not include " + target;
}

QMap<QString, QList<Include>> includesOfTheTree() {
    static const QRegularExpression line("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]",
                                         QRegularExpression::MultilineOption);
    QMap<QString, QList<Include>> found;
    for (const char* folder : {"core", "views", "app"}) {
        QDirIterator files(QString(SOURCE_DIR "/") + folder,
                           {"*.h", "*.cpp", "*.inl", "*.cu", "*.cuh", "*.in"}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            if (!file.open(QIODevice::ReadOnly)) continue;
            const QString path = QDir(SOURCE_DIR).relativeFilePath(file.fileName());
            QList<Include>& includes = found[path];
            auto matches = line.globalMatch(QString::fromUtf8(file.readAll()));
            while (matches.hasNext()) {
                const auto match = matches.next();
                includes.append({match.captured(2), match.captured(1) == "<"});
            }
        }
    }
    return found;
}

}  // namespace

class TestArchitecture : public QObject {
    Q_OBJECT

  private slots:
    void includesPointInTheDirectionsOfTheDesign() {
        const auto tree = includesOfTheTree();
        QVERIFY(tree.size() > 60);
        QStringList faults;
        for (auto it = tree.begin(); it != tree.end(); ++it)
            for (const Include& include : it.value())
                if (const QString what = fault(it.key(), include); !what.isEmpty())
                    faults << it.key() + " includes " + include.path + ": " + what;
        QVERIFY2(faults.isEmpty(), qPrintable("\n" + faults.join('\n')));
    }

    // What the rules are for.
    void wrongDirectionsAreSeen_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("include");
        QTest::addColumn<bool>("system");
        QTest::newRow("core with Qt") << "core/data/images.cpp"
                                      << "QImage" << true;
        QTest::newRow("core with GL") << "core/session/run.cpp"
                                      << "epoxy/gl.h" << true;
        QTest::newRow("core with ImGui") << "core/session/run.cpp"
                                         << "imgui.h" << false;
        QTest::newRow("core with views") << "core/session/run.cpp"
                                         << "views/view.h" << false;
        QTest::newRow("core with app") << "core/session/run.cpp"
                                       << "app/assets.h" << false;
        QTest::newRow("graph with cpu") << "core/graph/plan.cpp"
                                        << "core/cpu/call.h" << false;
        QTest::newRow("contract with graph") << "core/contract/frame.h"
                                             << "core/graph/graph.h" << false;
        QTest::newRow("lesson with session") << "core/lessons/gan.cpp"
                                             << "core/session/run.h" << false;
        QTest::newRow("lesson with cpu") << "core/lessons/gan.cpp"
                                         << "core/cpu/pool.h" << false;
        QTest::newRow("lesson with lesson") << "core/lessons/gan.cpp"
                                            << "core/lessons/vae.h" << false;
        QTest::newRow("view with view") << "views/lessons/gan_view.cpp"
                                        << "views/lessons/vae_view.h" << false;
        QTest::newRow("view with Qt") << "views/pane.cpp"
                                      << "QWidget" << true;
        QTest::newRow("view with data") << "views/lessons/gan_view.cpp"
                                        << "core/data/metrics.h" << false;
        QTest::newRow("view with session") << "views/pane.cpp"
                                           << "core/session/trainer.h" << false;
        QTest::newRow("view with app") << "views/pane.cpp"
                                       << "app/assets.h" << false;
        QTest::newRow("session with a lesson") << "core/session/run.cpp"
                                               << "core/lessons/gan.h" << false;
        QTest::newRow("app with networks") << "app/main.cpp"
                                           << "core/nn/mlp.h" << false;
        QTest::newRow("CUDA outside") << "core/session/run.cpp"
                                      << "cuda_runtime.h" << true;
        QTest::newRow("beside itself") << "core/session/run.cpp"
                                       << "journal.h" << false;
    }
    void wrongDirectionsAreSeen() {
        QFETCH(QString, file);
        QFETCH(QString, include);
        QFETCH(bool, system);
        QVERIFY(!fault(file, {include, system}).isEmpty());
    }

    // A file compiled for one instruction set must not hold a function that the linker could hand to others.
    void kernelsBringNoSharedCode() {
        const auto tree = includesOfTheTree();
        static const QStringList harmless = {"core/cpu/call.h", "core/base/extents.h", "core/base/philox.h",
                                             "core/base/math.h", "core/graph/op.h",
                                             // always inlined, as the others
                                             "core/cpu/winograd.h"};
        for (const char* isa : {"sse", "avx2", "avx512"}) {
            QStringList queue = {QString("core/cpu/kernels_%1.cpp").arg(isa)};
            QSet<QString> seen;
            QVERIFY(tree.contains(queue[0]));
            while (!queue.isEmpty()) {
                const QString file = queue.takeFirst();
                if (seen.contains(file)) continue;
                seen.insert(file);
                const bool own =
                    file.endsWith(".inl") || file.contains("/kernels_") || harmless.contains(file);
                QVERIFY2(own, qPrintable(QString("kernels_%1.cpp reaches %2").arg(isa, file)));
                for (const Include& include : tree[file])
                    if (!include.system) queue << include.path;
            }
            QVERIFY(seen.size() > 4);
        }
    }

    // Headers are read once, and open with a sentence.
    void headersAreGuardedAndIntroduced() {
        const auto tree = includesOfTheTree();
        for (auto it = tree.begin(); it != tree.end(); ++it) {
            if (!it.key().endsWith(".h")) continue;
            QFile file(QString(SOURCE_DIR "/") + it.key());
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QString text = QString::fromUtf8(file.readAll());
            QVERIFY2(text.contains("\n#pragma once\n"), qPrintable(it.key()));
            QVERIFY2(text.startsWith("// "), qPrintable(it.key()));
        }
    }
};

QTEST_APPLESS_MAIN(TestArchitecture)
#include "tst_architecture.moc"
