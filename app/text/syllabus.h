// The course: nine lessons in order, with the words that the list of lessons shows.
#pragma once

#include <QString>
#include <vector>

namespace app {

struct SyllabusEntry {
    QString id;               // "gan"
    QString title, subtitle;  // in the asked language
    QString authors;          // "Goodfellow et al."
    int year = 0;
};

// Reads assets/lessons/syllabus.json in "en" or "zh"; throws core::Error if it is not as expected.
std::vector<SyllabusEntry> loadSyllabus(const QString& language);

}  // namespace app
