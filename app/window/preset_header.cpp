#include "app/window/preset_header.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {

PresetHeader::PresetHeader(QWidget* parent) : QWidget(parent) {
    auto* row = new QHBoxLayout(this);
    m_title = new QLabel(this);
    m_title->hide();
    row->addWidget(m_title);
    m_presets = new QComboBox(this);
    m_presets->setObjectName("presets");
    m_presets->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    row->addWidget(m_presets);
    m_words = new QLabel(this);
    m_words->setWordWrap(true);
    m_words->setTextFormat(Qt::RichText);
    m_words->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    row->addWidget(m_words, 1);
    m_why = new QToolButton(this);
    m_why->setObjectName("why");
    m_why->setCheckable(true);
    m_why->setFocusPolicy(Qt::StrongFocus);
    row->addWidget(m_why);
    connect(m_presets, &QComboBox::activated, this, [this](int) {
        showWords();
        emit chosen(preset());
    });
    connect(m_why, &QToolButton::toggled, this, [this] { showWords(); });
    dress();
}

void PresetHeader::setLesson(const std::vector<core::Preset>& presets, const LessonText& text) {
    const QString current = preset();
    m_text = text;
    m_presets->clear();
    for (const core::Preset& preset : presets) {
        const QString name = QString::fromStdString(preset.name);
        const PresetWords* words = text.preset(name);
        m_presets->addItem(words ? words->title : name, name);
        if (words) m_presets->setItemData(m_presets->count() - 1, words->lookFor, Qt::ToolTipRole);
    }
    setPreset(current);
    dress();
}

void PresetHeader::setPreset(const QString& name) {
    m_presets->setCurrentIndex(std::max(0, m_presets->findData(name)));
    showWords();
}

QString PresetHeader::preset() const {
    return m_presets->currentData().toString();
}

void PresetHeader::dress() {
    layout()->setContentsMargins(scaled(8), scaled(8), scaled(8), scaled(4));
    layout()->setSpacing(scaled(4));
    m_presets->setMinimumHeight(scaled(32));
    setFixedHeight(scaled(56));
    m_title->setText(QStringLiteral("<span style='font-size:%1px; font-weight:600'>%2</span>&nbsp;&nbsp;")
                         .arg(scaled(15))
                         .arg(m_text.title.toHtmlEscaped()));
    m_presets->setAccessibleName(say("Preset"));
    m_presets->setToolTip(
        say("Settings that show one thing well, those that fail included. Choosing one starts over."));
    m_why->setText(say("Why?"));
    m_why->setAccessibleName(say("Why?"));
    m_why->setToolTip(say("What is behind it. Look and guess first."));
    showWords();
}

void PresetHeader::setPresenting(bool presenting) {
    m_title->setVisible(presenting);
}

void PresetHeader::showWords() {
    const PresetWords* words = m_text.preset(preset());
    if (!words) return m_words->clear();
    const bool why = m_why->isChecked();
    const QString faint = colour(currentTheme(), views::Ink::faint).name();
    m_words->setText(QStringLiteral("<span style='color:%1'>%2</span>&nbsp; %3")
                         .arg(faint, why ? say("Why") : say("Look for"),
                              (why ? words->why : words->lookFor).toHtmlEscaped()));
    m_words->setContentsMargins(scaled(12), 0, scaled(8), 0);
    const auto whole = [](const QString& text) { return text.toHtmlEscaped(); };
    m_words->setToolTip(QStringLiteral("<p><b>%1</b><br>%2 %3</p>")
                            .arg(whole(words->title), say("Look for"), whole(words->lookFor)));
}

}  // namespace app
