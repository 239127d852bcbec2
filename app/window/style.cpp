#include "app/window/style.h"

#include <QApplication>
#include <QFont>
#include <QPalette>
#include <QStyle>
#include <QStyleFactory>
#include <QToolTip>
#include <cmath>

#include "app/assets.h"

namespace app {
namespace {

views::Theme theme;

QColor blend(const QColor& from, const QColor& to, double t) {
    return QColor::fromRgbF(float(from.redF() + (to.redF() - from.redF()) * t),
                            float(from.greenF() + (to.greenF() - from.greenF()) * t),
                            float(from.blueF() + (to.blueF() - from.blueF()) * t));
}

QPalette paletteOf(const views::Theme& t) {
    using views::Ink;
    const QColor background = colour(t, Ink::background), surface = colour(t, Ink::surface);
    const QColor text = colour(t, Ink::text), faint = colour(t, Ink::faint);
    const bool contrast = t.palette == views::Palette::contrast;
    const QColor accent = colour(t, Ink::data);
    const QColor onAccent = t.isLight() ? QColor(Qt::white) : QColor(Qt::black);
    const QColor disabled = blend(text, background, contrast ? 0.35 : 0.55);

    QPalette p;
    p.setColor(QPalette::Window, background);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, surface);
    p.setColor(QPalette::AlternateBase, blend(surface, text, 0.04));
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::Button, blend(surface, text, t.isLight() ? 0.02 : 0.06));
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, text);
    p.setColor(QPalette::PlaceholderText, faint);
    p.setColor(QPalette::Highlight, accent);
    p.setColor(QPalette::HighlightedText, onAccent);
    p.setColor(QPalette::Link, accent);
    p.setColor(QPalette::LinkVisited, accent);
    p.setColor(QPalette::ToolTipBase, blend(surface, text, 0.08));
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::Light, blend(surface, text, 0.16));
    p.setColor(QPalette::Midlight, blend(surface, text, 0.10));
    p.setColor(QPalette::Mid, blend(background, text, contrast ? 0.7 : 0.22));
    p.setColor(QPalette::Dark, blend(background, t.isLight() ? text : QColor(Qt::black), 0.30));
    p.setColor(QPalette::Shadow, QColor(0, 0, 0));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, disabled);
    p.setColor(QPalette::Disabled, QPalette::Highlight, blend(accent, background, 0.6));
    return p;
}

QString sheetOf(const views::Theme& t) {
    using views::Ink;
    const QColor background = colour(t, Ink::background), surface = colour(t, Ink::surface);
    const QColor text = colour(t, Ink::text), accent = colour(t, Ink::data);
    const bool contrast = t.palette == views::Palette::contrast;
    const auto px = [&](double v) { return QString::number(scaled(v)) + "px"; };
    QString sheet = QStringLiteral(R"(
        QToolTip { border: 1px solid @edge; padding: @4; background: @tip; color: @text; }
        QToolButton { border: none; border-radius: @6; padding: @6; background: transparent; }
        QToolButton:hover { background: @hover; }
        QToolButton:pressed, QToolButton:checked { background: @press; }
        QToolButton:focus { border: 1px solid @accent; padding: @5; }
        QToolButton::menu-indicator { image: none; }
        QToolButton#run { background: @accent; color: @onAccent; padding: @6 @16; font-weight: 600; }
        QToolButton#run:hover { background: @accentHover; }
        QToolButton#run:focus { border: 2px solid @text; padding: @4 @14; }
        QComboBox { border: 1px solid @edge; border-radius: @6; padding: @3 @8; background: @surface; }
        QComboBox:hover { background: @hover; }
        QComboBox:focus { border-color: @accent; }
        QComboBox::drop-down { border: none; width: @20; }
        QComboBox::down-arrow { image: url(@arrow); width: @12; height: @12; }
        QComboBox QAbstractItemView { border: 1px solid @edge; background: @surface; outline: none;
            selection-background-color: @press; selection-color: @text; padding: @4; }
        QComboBox QAbstractItemView::item { min-height: @28; padding: 0 @6; }
        QAbstractSpinBox { border: 1px solid @edge; border-radius: @6; padding: @3 @6; background: @surface; }
        QAbstractSpinBox:focus { border-color: @accent; }
        QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: @20;
            border: none; background: transparent; }
        QAbstractSpinBox::up-button { subcontrol-position: top right; }
        QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
        QAbstractSpinBox::up-arrow { image: url(@upArrow); width: @10; height: @10; }
        QAbstractSpinBox::down-arrow { image: url(@arrow); width: @10; height: @10; }
        QLineEdit { border: 1px solid @edge; border-radius: @6; padding: @6 @8; background: @surface; }
        QLineEdit:focus { border-color: @accent; }
        QPushButton { border: 1px solid @edge; border-radius: @6; padding: @6 @16; background: @surface; }
        QPushButton:hover { background: @hover; }
        QPushButton:focus { border-color: @accent; }
        QPushButton:default { background: @accent; color: @onAccent; border-color: @accent; }
        QTabBar { qproperty-drawBase: 0; }
        QTabBar::tab { padding: @8 @12; border: none; border-bottom: 2px solid transparent; color: @faint; }
        QTabBar::tab:selected { color: @text; border-bottom-color: @accent; }
        QTabBar::tab:hover { color: @text; }
        QTabBar::tab:focus { background: @hover; }
        QTabWidget::pane { border: none; }
        QScrollArea { border: none; background: transparent; }
        QCheckBox::indicator { width: @16; height: @16; border: 1px solid @faint; border-radius: @4;
            background: @surface; }
        QCheckBox::indicator:hover, QCheckBox::indicator:focus { border-color: @accent; }
        QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(@check); }
        QScrollBar:vertical { width: @10; background: transparent; margin: 0; }
        QScrollBar:horizontal { height: @10; background: transparent; margin: 0; }
        QScrollBar::handle { background: @edge; border-radius: @3; margin: @2; min-height: @32; min-width: @32; }
        QScrollBar::handle:hover { background: @faint; }
        QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
        QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
        QSplitter::handle { background: transparent; }
        QListView { border: none; background: transparent; outline: none; }
        app--CommandPalette { border: 1px solid @edge; background: @surface; }
        app--CommandPalette QListView::item { padding: 0 @10; border-radius: @4; }
        app--CommandPalette QListView::item:selected { background: @press; color: @text; }
        QMenu { background: @surface; border: 1px solid @edge; padding: @6; }
        QMenu::item { padding: @6 @24 @6 @12; border-radius: @4; }
        QMenu::item:selected { background: @press; color: @text; }
        QMenu::item:disabled { color: @faint; }
        QMenu::separator { height: 1px; background: @edge; margin: @6; }
        QSlider::groove:horizontal { height: @4; border-radius: @2; background: @edge; }
        QSlider::sub-page:horizontal { background: @accent; border-radius: @2; }
        QSlider[idle="true"]::sub-page:horizontal { background: @edge; }
        QSlider::handle:horizontal { width: @14; height: @14; margin: -@5 0; border-radius: @7; background: @text; }
        QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: @accent; }
        QSlider:focus { border: none; }
    )");
    const struct {
        const char* name;
        QColor value;
    } colours[] = {
        {"@accentHover", blend(accent, text, 0.15)},
        {"@accent", accent},
        {"@onAccent", t.isLight() ? QColor(Qt::white) : QColor(Qt::black)},
        {"@surface", surface},
        {"@text", text},
        {"@faint", colour(t, Ink::faint)},
        {"@edge", blend(background, text, contrast ? 0.8 : 0.20)},
        {"@tip", blend(surface, text, 0.08)},
        {"@hover", blend(background, text, contrast ? 0.25 : 0.08)},
        {"@press", blend(background, text, contrast ? 0.35 : 0.15)},
    };
    for (const auto& [name, value] : colours) sheet.replace(name, value.name());
    sheet.replace("@check", assetPath(t.isLight() ? "icons/check_light.svg" : "icons/check_dark.svg"));
    sheet.replace("@upArrow", assetPath("icons/chevron_up.svg"));
    sheet.replace("@arrow", assetPath("icons/chevron.svg"));
    for (const int length : {32, 28, 24, 20, 16, 14, 12, 10, 8, 7, 6, 5, 4, 3, 2})
        sheet.replace("@" + QString::number(length), px(length));
    return sheet;
}

}  // namespace

QColor colour(views::Rgba paint) {
    return QColor(paint.r, paint.g, paint.b, paint.a);
}
QColor colour(const views::Theme& t, views::Ink ink) {
    return colour(t.ink(ink));
}

void applyStyle(const views::Theme& wanted) {
    theme = wanted;
    QFont font;
    font.setFamilies({"Inter", "WenQuanYi Micro Hei", "Noto Sans CJK SC", "DejaVu Sans"});
    font.setPixelSize(scaled(13));
    font.setHintingPreference(QFont::PreferNoHinting);
    QApplication::setStyle(QStyleFactory::create("Fusion"));
    QApplication::setFont(font);
    QApplication::setPalette(paletteOf(theme));
    QToolTip::setFont(font);
    qApp->setStyleSheet(sheetOf(theme));
}

const views::Theme& currentTheme() {
    return theme;
}

views::Palette paletteNamed(const QString& name) {
    if (name == "light") return views::Palette::light;
    if (name == "contrast") return views::Palette::contrast;
    return views::Palette::dark;
}

QString nameOf(views::Palette palette) {
    switch (palette) {
        case views::Palette::light:
            return "light";
        case views::Palette::contrast:
            return "contrast";
        case views::Palette::dark:
            break;
    }
    return "dark";
}

int scaled(double logical) {
    return int(std::lround(logical * double(theme.scale)));
}

}  // namespace app
