// The window's own words: each has its Chinese, and none is left over.
#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QTest>
#include <nlohmann/json.hpp>

#include "app/window/command_palette.h"
#include "app/window/interface_words.h"

namespace {

QString read(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

}  // namespace

class TestInterfaceWords : public QObject {
    Q_OBJECT

    std::map<std::string, std::string> m_chinese;
    QString m_sources;

  private slots:
    void initTestCase() {
        const auto table = nlohmann::json::parse(read(SOURCE_DIR "/assets/interface.zh.json").toStdString());
        for (const auto& [english, chinese] : table.items()) m_chinese[english] = chinese.get<std::string>();
        for (const char* folder : {"/app/window", "/app/cli"})
            for (const QFileInfo& info : QDir(QString(SOURCE_DIR) + folder).entryInfoList({"*.cpp"}))
                m_sources += read(info.filePath());
        // Why there is no card is said where one is looked for.
        for (const char* file : {"/core/cuda/plugin.cpp", "/core/cuda/kernels/plugin.cu"})
            m_sources += read(QString(SOURCE_DIR) + file);
        // Neighbouring literals are one.
        m_sources.replace(QRegularExpression("\"\\s*\\n\\s*\""), "");
    }

    void everythingSaidHasItsChinese() {
        static const QRegularExpression said("\\bsay\\(\\s*\"((?:[^\"\\\\]|\\\\.)*)\"\\s*\\)");
        int count = 0;
        for (auto it = said.globalMatch(m_sources); it.hasNext(); ++count) {
            const QString english = it.next().captured(1);
            QVERIFY2(m_chinese.contains(english.toStdString()), qPrintable(english));
        }
        QVERIFY(count > 40);
    }

    void nothingIsLeftOver() {
        // Words of tables are said later: they stand in the source as they are.
        for (const auto& [english, chinese] : m_chinese)
            QVERIFY2(m_sources.contains("\"" + QString::fromStdString(english) + "\""), english.c_str());
    }

    void placesForNumbersAreKept() {
        for (const auto& [english, chinese] : m_chinese)
            for (const char* place : {"%1", "%2"})
                QCOMPARE(english.find(place) == std::string::npos, chinese.find(place) == std::string::npos);
    }

    void languageIsSwitched() {
        app::setInterfaceLanguage("zh");
        QCOMPARE(app::say("Step"), QStringLiteral("单步"));
        app::setInterfaceLanguage("en");
        QCOMPARE(app::say("Step"), "Step");
    }

    void commandsAreFoundByTheirLetters() {
        QVERIFY(app::letterMatch("nsd", "New seed"));
        QVERIFY(app::letterMatch("EXP", "Export"));
        QVERIFY(!app::letterMatch("dns", "New seed"));
    }
};

QTEST_GUILESS_MAIN(TestInterfaceWords)
#include "tst_interface_words.moc"
