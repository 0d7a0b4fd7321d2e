// SPDX-License-Identifier: Apache-2.0
// libFuzzer's hook for targets that read texts: changes lines and words, so that more of them still
// parse than of changed bytes.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace ingot::fuzz {
namespace {

enum class Kind { value, number, word };

struct Word {
  std::size_t begin = 0, size = 0;
  Kind kind = Kind::word;
};

std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> words;
  const auto in_word = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
                               text[i] == '_' || text[i] == '.');
  };
  for (std::size_t i = 0; i < text.size();) {
    const bool value = text[i] == '%' && in_word(i + 1);
    if (!value && !in_word(i)) {
      ++i;
      continue;
    }
    Word word{i, 1, Kind::word};
    while (in_word(i + word.size)) ++word.size;
    if (value)
      word.kind = Kind::value;
    else if (std::isdigit(static_cast<unsigned char>(text[i])) != 0)
      word.kind = Kind::number;
    words.push_back(word);
    i += word.size;
  }
  return words;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    lines.back() += c;
    if (c == '\n') lines.emplace_back();
  }
  return lines;
}

/// One word, of the kinds that texts of ours are made of.
std::string with_another_word(const std::string& text, std::mt19937_64& random) {
  static const char* const numbers[] = {"0",
                                        "1",
                                        "-1",
                                        "2",
                                        "3",
                                        "7",
                                        "64",
                                        "-64",
                                        "2147483647",
                                        "4294967296",
                                        "16",
                                        "0.5",
                                        "9223372036854775807",
                                        "-9223372036854775808"};
  const std::vector<Word> words = words_of(text);
  if (words.empty()) return text;
  const Word word = words[random() % words.size()];
  std::string instead = numbers[random() % std::size(numbers)];
  if (word.kind != Kind::number || random() % 2 == 0) {
    std::vector<Word> alike;
    std::copy_if(words.begin(), words.end(), std::back_inserter(alike),
                 [&](const Word& other) { return other.kind == word.kind; });
    const Word other = alike[random() % alike.size()];
    instead = text.substr(other.begin, other.size);
  }
  return text.substr(0, word.begin) + instead + text.substr(word.begin + word.size);
}

std::string with_other_lines(const std::string& text, std::mt19937_64& random) {
  std::vector<std::string> lines = lines_of(text);
  const auto any = [&] { return static_cast<std::ptrdiff_t>(random() % lines.size()); };
  const std::ptrdiff_t at = any();
  switch (random() % 4) {
    case 0:
      lines.erase(lines.begin() + at);
      break;
    case 1:
      lines.insert(lines.begin() + any(), std::string(lines[static_cast<std::size_t>(at)]));
      break;
    default:
      std::swap(lines[static_cast<std::size_t>(at)], lines[static_cast<std::size_t>(any())]);
  }
  std::string result;
  for (const std::string& line : lines) result += line;
  return result;
}

}  // namespace
}  // namespace ingot::fuzz

/// Lines come, go and change places, a word becomes another word of its kind from elsewhere in the
/// text; half of the time bytes change, with the words of the dictionary.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  using namespace ingot::fuzz;
  std::mt19937_64 random(seed);
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string text(reinterpret_cast<const char*>(data), size);
  do {
    text = random() % 3 == 0 ? with_other_lines(text, random) : with_another_word(text, random);
  } while (random() % 2 == 0);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
