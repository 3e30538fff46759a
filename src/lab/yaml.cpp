#include "yaml.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace ethnet::lab {
namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

// Ends the parse from inside the library.
struct Stop {
  ScenarioFault fault;
};

[[noreturn]] void stop(ScenarioError error, const Place& place, std::string text) {
  throw Stop{{error, place, std::move(text)}};
}

class Builder final : public YAML::EventHandler {
 public:
  [[nodiscard]] YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node(YamlNode::Kind::empty, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(ScenarioError::not_plain, place_of(mark), "expected a value, found an alias (*name)");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode scalar = node(YamlNode::Kind::text, mark, tag, anchor);
    scalar.text = value;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::list, mark, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::map, mark, tag, anchor));
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or map that is not closed yet, and of a map the key whose value comes next.
  struct Open {
    YamlNode node;
    std::optional<std::pair<std::string, Place>> key;
  };

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor) {
    const Place place = place_of(mark);
    if (anchor != 0) {
      stop(ScenarioError::not_plain, place, "expected a value, found an anchor (&name)");
    }
    // "?" plain, "!" quoted; both are text here.
    if (!tag.empty() && tag != "?" && tag != "!") {
      stop(ScenarioError::not_plain, place, "expected a value, found a tag (!name)");
    }
    if (++nodes_ > kMaxYamlNodes) {
      stop(ScenarioError::too_large, place, fmt::format("more than {} values", kMaxYamlNodes));
    }
    YamlNode out;
    out.kind = kind;
    out.place = place;
    return out;
  }
  void open(YamlNode node) {
    if (open_.size() == kMaxYamlDepth) {
      stop(ScenarioError::too_large, node.place,
           fmt::format("more than {} lists and maps in one another", kMaxYamlDepth));
    }
    if (is_key()) stop(ScenarioError::wrong_kind, node.place, "expected a word as key");
    open_.push_back({std::move(node), std::nullopt});
  }
  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  [[nodiscard]] bool is_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().key;
  }
  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      add_key(parent, node);
    } else {
      auto [key, place] = std::move(*parent.key);
      parent.key.reset();
      parent.node.entries.push_back({std::move(key), place, std::move(node)});
    }
  }
  static void add_key(Open& parent, const YamlNode& node) {
    if (node.kind != YamlNode::Kind::text || node.text.empty()) {
      stop(ScenarioError::wrong_kind, node.place, "expected a word as key");
    }
    if (parent.node.entries.size() == kMaxYamlKeys) {
      stop(ScenarioError::too_large, node.place, fmt::format("more than {} keys", kMaxYamlKeys));
    }
    if (parent.node.find(node.text) != nullptr) {
      stop(ScenarioError::duplicate_key, node.place, fmt::format("'{}' stands twice", node.text));
    }
    parent.key = {node.text, node.place};
  }

  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries, key, &YamlEntry::key);
  return entry == entries.end() ? nullptr : &entry->value;
}

Read<YamlNode> parse_yaml(const std::string& text) {
  if (text.size() > kMaxScenarioBytes) {
    return std::unexpected{ScenarioFault{
        ScenarioError::too_large, {}, fmt::format("more than {} bytes", kMaxScenarioBytes)}};
  }
  try {
    std::istringstream in{text};
    YAML::Parser parser{in};
    Builder builder;
    if (!parser.HandleNextDocument(builder)) {
      return std::unexpected{ScenarioFault{ScenarioError::not_yaml, {}, "the file is empty"}};
    }
    YamlNode root = builder.take();
    Builder second;
    if (parser.HandleNextDocument(second)) {
      return std::unexpected{ScenarioFault{ScenarioError::not_plain, second.take().place,
                                           "expected the end, found a second document"}};
    }
    return root;
  } catch (const Stop& stopped) {
    return std::unexpected{stopped.fault};
  } catch (const YAML::Exception& error) {
    return std::unexpected{
        ScenarioFault{ScenarioError::not_yaml, place_of(error.mark), "not YAML: " + error.msg}};
  }
}

}  // namespace ethnet::lab
