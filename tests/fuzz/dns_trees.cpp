// Lists of nodes in the DNS that the input itself makes: records, branches, links and roots out of
// its bytes, signed by keys of ours so that no signature keeps them from being read, and answered
// as it says. What the client makes of them is bounded, ends, and is what make_tree() put in.
#include <algorithm>
#include <deque>

#include <discovery/dns/testing/zone.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using dns::HashLabel;
using dns::testing::key_of;
using dns::testing::link_of;

constexpr std::size_t kMaxSteps = 300;
constexpr std::size_t kLists = 3;
constexpr std::uint64_t kSigners = 2;  // the second is not the one whom the client asks about
constexpr std::uint64_t kRecordKeys = 64;

std::string list_name(std::size_t number) {
  return std::string(1, static_cast<char>('a' + number % kLists));
}
std::string text_from(ByteView bytes) {
  std::string text;
  for (const std::byte b : bytes) text.push_back(static_cast<char>(b));
  return text;
}

// What the input puts into the DNS.
class Made {
 public:
  explicit Made(Operations& in) {
    const std::size_t count = in.byte();
    for (std::size_t i = 0; i < std::min(count, kMaxSteps) && !in.at_end(); ++i) step(in);
  }

  dns::testing::Zone zone;

 private:
  void step(Operations& in) {
    const std::string list = list_name(in.byte());
    switch (in.below(8)) {
      case 0:
        put(list, text_from(in.bytes(in.byte())));
        break;
      case 1:
        put_record(in, list);
        break;
      case 2:
        put_branch(in, list);
        break;
      case 3:
        put_link(in, list);
        break;
      case 4:
        put_root(in, list);
        break;
      case 5:
        put_whole_tree(in, list);
        break;
      case 6:
        zone.at(list).push_back(text_from(in.bytes(in.byte())));
        break;
      default:
        damage(in, list);
    }
  }

  void put(const std::string& list, const std::string& text) {
    labels_.push_back(zone.put(list, text));
  }
  // Any key with any value; below kMaxEnrBytes the record is signed, and so has its form.
  void put_record(Operations& in, const std::string& list) {
    EnrBuilder builder{in.byte()};
    for (std::size_t pairs = in.below(6); pairs > 0; --pairs) {
      static constexpr std::array<std::string_view, 9> kKeys{"ip",  "ip6",  "udp", "udp6", "tcp",
                                                             "eth", "quic", "x",   "tcp6"};
      builder.bytes(kKeys.at(in.below(kKeys.size())), in.bytes(in.below(40)));
    }
    const auto record = builder.sign(key_of(in.below(kRecordKeys)));
    if (!record) return;
    put(list, record->record().text());
    records_.push_back(*record);
  }
  // Of earlier entries of any list, as they are, cut short, or of text that the input makes up.
  void put_branch(Operations& in, const std::string& list) {
    std::string text{"enrtree-branch:"};
    for (std::size_t children = in.below(dns::kMaxBranchChildren + 2); children > 0; --children) {
      const std::size_t how = in.below(8);
      std::string child = labels_.empty() || how == 7 ? text_from(in.bytes(in.below(60)))
                                                      : labels_[in.below(labels_.size())].text();
      if (how == 6) child.resize(std::min<std::size_t>(child.size(), 20));  // 12 bytes
      text += (text.back() == ':' ? "" : ",") + child;
    }
    put(list, text);
  }
  void put_link(Operations& in, const std::string& list) {
    const dns::Link link =
        link_of(list_name(in.byte()), dns::testing::kPublisher + in.below(kSigners));
    put(list, link.text() + text_from(in.bytes(in.below(3))));
    links_.push_back(link);
  }
  void put_root(Operations& in, const std::string& list) {
    if (labels_.empty()) return;
    const HashLabel& records = labels_[in.below(labels_.size())];
    const HashLabel& links = labels_[in.below(labels_.size())];
    zone.put_root(list, records, links, in.byte(), dns::testing::kPublisher + in.below(kSigners));
  }
  // As a publisher makes it, of what there is.
  void put_whole_tree(Operations& in, const std::string& list) {
    const auto tree = dns::make_tree(records_, links_);
    if (!tree) return;
    std::size_t records = 0;
    for (const auto& [label, text] : tree->entries) {
      CHECK(HashLabel::parse(label)->matches(text));
      const auto entry = dns::decode_entry(text);
      CHECK(entry.has_value());
      if (std::holds_alternative<VerifiedEnr>(*entry)) ++records;
    }
    CHECK(records == records_.size());
    zone.publish(list, *tree, in.byte());
    for (const auto& [label, text] : tree->entries) labels_.push_back(HashLabel::of(text));
  }
  void damage(Operations& in, const std::string& list) {
    if (labels_.empty()) return;
    const std::string name = labels_[in.below(labels_.size())].name_under(list);
    if (in.below(2) == 0) return zone.erase(name);
    zone.at(name) = {text_from(in.bytes(in.byte()))};
  }

  std::vector<HashLabel> labels_;
  std::vector<VerifiedEnr> records_;
  std::vector<dns::Link> links_;
};

class Reader {
 public:
  Reader(Made& made, std::uint8_t options)
      : made_{made},
        rng_{options},
        client_{rng_,
                {.walk = dns::Walk::whole,
                 .follow_links = (options & 1) == 0,
                 .questions_per_second = 1'000}} {}

  void read(Operations& in) {
    for (std::size_t i = 0; i < kLists; ++i) {
      (void)client_.add_tree(now(), link_of(list_name(i)), in.byte() % 8);
    }
    // As the input says while it has something to say, then as the lists are.
    for (std::size_t i = 0; i < kMostQuestions && !client_.is_idle(); ++i) {
      answer(in.byte());
      take_events();
      const Instant next = client_.next_deadline();
      if (next.is_never()) continue;
      time_ = std::max(time_, next);
      client_.handle_deadline(now());
    }
    CHECK(client_.is_idle());
    CHECK(client_.counters().questions <= kMostQuestions);
  }

 private:
  // Every name of every tree that there may be is asked for few times, whatever answers.
  static constexpr std::size_t kMostQuestions = 200'000;

  [[nodiscard]] Now now() const { return {time_, UnixTime::from_seconds(1'700'000'000)}; }

  void answer(std::uint8_t how) {
    while (auto question = client_.poll_question()) {
      const std::vector<std::string>* const texts = made_.zone.find(question->name);
      if (how % 16 == 15) continue;  // nobody answers: it asks again when the time is over
      if (texts == nullptr || how % 16 == 14) {
        client_.handle_failure(
            now(), question->id,
            texts == nullptr ? dns::DnsError::not_found : dns::DnsError::unanswered);
      } else {
        client_.handle_answer(now(), question->id, *texts);
      }
      take_events();
    }
    CHECK(client_.under_way() <= dns::kMaxQuestions);
    CHECK(client_.trees() <= dns::kMaxTrees);
  }
  void take_events() {
    while (const auto event = client_.poll_event()) {
      if (const auto* const found = std::get_if<dns::NodeFound>(&*event)) {
        CHECK(!found->record->malformed_port());
        CHECK(VerifiedEnr::decode(found->record.record().encoded()).has_value());
      } else if (const auto* const root = std::get_if<dns::RootChanged>(&*event)) {
        std::uint64_t& highest = seqs_[root->tree.identity()];
        CHECK(root->seq >= highest);
        highest = root->seq;
      } else if (const auto* const done = std::get_if<dns::TreeDone>(&*event)) {
        CHECK(done->records + done->skipped <= 2 * dns::kMaxTreeEntries);
        if (done->root) CHECK(done->root->verify(done->tree.key()).has_value());
      }
    }
  }

  Made& made_;
  dns::testing::TestRng rng_;
  dns::Client client_;
  std::map<std::string, std::uint64_t> seqs_;
  Instant time_{1'000'000'000};
};

// How the steps above begin, for the seeds.
class Script {
 public:
  Script& say(std::initializer_list<unsigned> bytes) {
    for (const unsigned b : bytes) steps_.push_back(static_cast<std::byte>(b));
    ++count_;
    return *this;
  }
  [[nodiscard]] Bytes bytes(unsigned options) const {
    Bytes out{static_cast<std::byte>(options), static_cast<std::byte>(count_)};
    out.insert(out.end(), steps_.begin(), steps_.end());
    return out;
  }

 private:
  Bytes steps_;
  unsigned count_ = 0;
};

}  // namespace

void run_dns_trees(ByteView input) {
  Operations in{input};
  const std::uint8_t options = in.byte();
  Made made{in};
  Reader{made, options}.read(in);
}

void add_dns_tree_seeds(std::vector<Seed>& out) {
  Script whole;  // three records and a link to each list, as a publisher makes it
  for (unsigned i = 0; i < 3; ++i) whole.say({0, 1, 1, 1, 2, 2, 0x10, i, i});
  for (unsigned i = 0; i < 3; ++i) whole.say({0, 3, i, 0, 0});
  for (unsigned i = 0; i < 3; ++i) whole.say({i, 5, 1});
  out.push_back({"dns_trees", "whole", whole.bytes(0)});
  Script odd;  // branches of branches, a port of three bytes, a text of no kind, a lower root
  odd.say({0, 1, 1, 1, 4, 3, 1, 2, 3, 7});
  odd.say({0, 0, 4, 'e', 'n', 'r', ':'});
  odd.say({0, 2, 3, 0, 0, 0, 1, 7, 3, 'A', 'B', 'C'});
  odd.say({0, 2, 3, 0, 2, 6, 0, 0, 0});
  odd.say({0, 4, 3, 2, 5, 0});
  odd.say({1, 4, 0, 3, 5, 1});
  odd.say({0, 7, 1, 1, 2, 'x', 'y'});
  odd.say({0, 6, 2, 'x', 'y'});
  out.push_back({"dns_trees", "odd", odd.bytes(1)});
}

}  // namespace ethnet::fuzz
