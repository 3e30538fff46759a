// A strict reader of Prometheus text 0.0.4, for tests: HELP, then TYPE, then the samples of that
// one metric, each series once. Whatever else is a problem that is named.
#pragma once

#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace ethnet::observe::testing {

struct Exposition {
  std::map<std::string, std::string> type;             // metric -> counter, gauge
  std::map<std::string, std::string> help;             // metric -> text
  std::map<std::string, std::uint64_t> value;          // series, as written -> value
  std::map<std::string, std::set<std::string>> names;  // metric -> names of labels
  std::string problem;                                 // empty: none
};

class ExpositionReader {
 public:
  explicit ExpositionReader(std::string_view text) : rest_{text} {}

  Exposition read() && {
    if (rest_.empty() || rest_.back() != '\n') return failed("does not end with a new line");
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!take(line)) return failed(std::string{line});
    }
    if (samples_ == 0) return failed("no sample of " + metric_);
    return std::move(out_);
  }

 private:
  Exposition failed(const std::string& what) {
    out_.problem = what;
    return std::move(out_);
  }
  static bool first(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
  static bool is_name(std::string_view text) {
    if (text.empty() || !first(text.front())) return false;
    for (const char c : text) {
      if (!first(c) && std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
    }
    return true;
  }
  // The part up to `stop`, which is taken too.
  static std::string_view part(std::string_view& line, char stop) {
    const std::size_t end = line.find(stop);
    const std::string_view out = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return out;
  }

  bool take(std::string_view line) {
    if (line.starts_with("# HELP ")) return take_help(line.substr(7));
    if (line.starts_with("# TYPE ")) return take_type(line.substr(7));
    return take_sample(line);
  }
  bool take_help(std::string_view line) {
    if (!metric_.empty() && samples_ == 0) return false;
    metric_ = part(line, ' ');
    samples_ = 0;
    typed_ = false;
    return is_name(metric_) && !line.empty() && out_.help.emplace(metric_, line).second;
  }
  bool take_type(std::string_view line) {
    if (part(line, ' ') != metric_ || typed_) return false;
    typed_ = true;
    return (line == "counter" || line == "gauge") && out_.type.emplace(metric_, line).second;
  }
  bool take_sample(std::string_view line) {
    const std::string series{line.substr(0, line.rfind(' '))};
    const std::string_view number = line.substr(series.size());
    std::uint64_t value = 0;
    const auto* const end = number.data() + number.size();
    if (number.size() < 2 || std::from_chars(number.data() + 1, end, value).ptr != end) {
      return false;
    }
    ++samples_;
    std::string_view left = series;
    const bool labelled = series.find('{') != std::string::npos;
    if (!typed_ || part(left, '{') != metric_) return false;
    if (labelled && !take_labels(left)) return false;
    return (labelled || left.empty()) && out_.value.emplace(series, value).second;
  }
  bool take_labels(std::string_view left) {
    std::set<std::string> names;
    while (true) {
      const std::string name{part(left, '=')};
      if (!is_name(name) || !names.insert(name).second || !take_text(left)) return false;
      if (left == "}") break;
      if (part(left, ',') != "") return false;
    }
    const auto [it, fresh] = out_.names.emplace(metric_, names);
    return fresh || it->second == names;
  }
  // A label's value in quotes; a quote, a backslash and a new line are escaped.
  static bool take_text(std::string_view& left) {
    if (left.empty() || left.front() != '"') return false;
    for (std::size_t i = 1; i < left.size(); ++i) {
      if (left[i] == '\\') {
        ++i;
        if (i == left.size() || (left[i] != '\\' && left[i] != '"' && left[i] != 'n')) return false;
      } else if (left[i] == '"') {
        left.remove_prefix(i + 1);
        return true;
      } else if (static_cast<unsigned char>(left[i]) < 0x20) {
        return false;
      }
    }
    return false;
  }

  std::string_view rest_;
  std::string metric_;
  std::size_t samples_ = 0;
  bool typed_ = false;
  Exposition out_;
};

inline Exposition read_exposition(std::string_view text) { return ExpositionReader{text}.read(); }

}  // namespace ethnet::observe::testing
