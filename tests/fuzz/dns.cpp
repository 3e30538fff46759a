// Lists of nodes in the DNS: their texts, and the client by operations.
#include <deque>

#include <discovery/dns/testing/zone.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using dns::testing::key_of;
using dns::testing::link_of;
using dns::testing::record_of;
using dns::testing::records_of;

constexpr std::size_t kMaxOperations = 600;
constexpr std::size_t kDomains = 4;

std::string text_of(ByteView input) {
  std::string text;
  for (const std::byte b : input) text.push_back(static_cast<char>(b));
  return text;
}

Bytes bytes_of(std::string_view text) { return to_bytes(text_bytes(text)); }

std::string domain(std::size_t number) { return std::string(1, static_cast<char>('a' + number)); }

// Trees that link to each other, in two versions each, and texts that fit nowhere.
const dns::testing::Zone& zone(std::size_t version) {
  static const std::array<dns::testing::Zone, 2> made = [] {
    std::array<dns::testing::Zone, 2> out;
    for (std::size_t v = 0; v < out.size(); ++v) {
      for (std::size_t i = 0; i < kDomains; ++i) {
        const std::vector<dns::Link> links{link_of(domain((i + 1 + v) % kDomains)),
                                           link_of(domain(i))};
        const auto tree = dns::make_tree(records_of(14 + i, 100 * i + 10 * v), links).value();
        out[v].publish(domain(i), tree, 5 + (v + i) % 2);
      }
    }
    return out;
  }();
  return made[version];
}

const std::vector<std::string>& strange_texts() {
  static const std::vector<std::string> made{"",
                                             "v=spf1",
                                             "enrtree-root:v1",
                                             "enrtree-branch:",
                                             "enrtree-branch:1",
                                             link_of("a").text(),
                                             record_of(3).record().text(),
                                             std::string(2000, 'x')};
  return made;
}

class ClientRun {
 public:
  explicit ClientRun(std::uint8_t options)
      : rng_{options},
        client_{rng_,
                {.walk = options % 2 == 0 ? dns::Walk::random : dns::Walk::whole,
                 .follow_links = (options & 2) == 0,
                 .questions_per_second = 1U + (options >> 2)}} {}

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 8) {
      case 0:
        (void)client_.add_tree(now(), link_of(domain(in.below(kDomains))), op / 64);
        break;
      case 1:
        if (client_.wanted() < 1000) client_.want(now(), in.byte());
        break;
      case 2:
      case 3:
        answer(in.byte(), op >> 3);
        break;
      case 4:
        time_ = time_ + milliseconds(in.byte() * 16);
        client_.handle_deadline(now());
        break;
      case 5:
        to_deadline();
        break;
      case 6:
        strange(in, op);
        break;
      default:
        take_events(op >> 3);
    }
    check();
  }

  // Everything that is asked is answered: what began ends, and there is nothing that goes round
  // without an end in a whole walk.
  void finish() {
    for (std::size_t i = 0; i < 4000 && !client_.is_idle(); ++i) {
      while (!asked_.empty() || ask()) answer(0, 0);
      take_events(1000);
      to_deadline();
    }
    CHECK(client_.is_idle() || client_.wanted() > 0);
  }

 private:
  [[nodiscard]] Now now() const {
    return {Instant{1'000'000'000} + time_, UnixTime::from_seconds(1'700'000'000)};
  }
  bool ask() {
    auto question = client_.poll_question();
    if (!question) return false;
    CHECK(question->name.size() <= 253);
    asked_.push_back(*std::move(question));
    return true;
  }
  void answer(std::uint8_t which, std::uint8_t how) {
    while (ask()) {
    }
    if (asked_.empty()) return;
    const std::size_t index = which % asked_.size();
    const dns::Question question = asked_[index];
    asked_.erase(asked_.begin() + static_cast<std::ptrdiff_t>(index));
    if (how % 8 == 7) return;  // lost
    const auto* texts = zone(how % 2).find(question.name);
    if (how % 8 == 5 || texts == nullptr) {
      client_.handle_failure(
          now(), question.id,
          texts == nullptr ? dns::DnsError::not_found : dns::DnsError::unanswered);
    } else {
      client_.handle_answer(now(), question.id, *texts);
    }
  }
  void strange(Operations& in, std::uint8_t op) {
    while (ask()) {
    }
    std::vector<std::string> texts;
    for (std::size_t i = op >> 3; i > 0; --i) {
      texts.push_back(strange_texts()[in.below(strange_texts().size())]);
    }
    if (in.below(2) == 1) texts.push_back(text_of(in.bytes(in.byte())));
    const std::uint64_t id = asked_.empty() ? in.byte() : asked_[in.below(asked_.size())].id;
    client_.handle_answer(now(), id, texts);
  }
  void to_deadline() {
    const Instant next = client_.next_deadline();
    if (next.is_never()) return;
    time_ = std::max(time_, next - Instant{1'000'000'000});
    client_.handle_deadline(now());
  }
  void take_events(std::size_t most) {
    for (std::size_t i = 0; i < most; ++i) {
      const auto event = client_.poll_event();
      if (!event) return;
      if (const auto* root = std::get_if<dns::RootChanged>(&*event)) {
        std::uint64_t& highest = seqs_[root->tree.identity()];
        CHECK(root->seq >= highest);
        highest = root->seq;
      }
    }
  }
  void check() const {
    CHECK(client_.under_way() <= dns::kMaxQuestions);
    CHECK(client_.trees() <= dns::kMaxTrees);
  }

  dns::testing::TestRng rng_;
  dns::Client client_;
  std::deque<dns::Question> asked_;
  std::map<std::string, std::uint64_t> seqs_;
  Duration time_;
};

Bytes walk(unsigned options) {
  Bytes out{static_cast<std::byte>(options)};
  const auto say = [&](std::initializer_list<unsigned> operations) {
    for (const unsigned op : operations) out.push_back(static_cast<std::byte>(op));
  };
  say({0, 0, 1, 40});
  for (unsigned i = 0; i < 40; ++i) say({2, i, 5, 2, 0, 7 | (20U << 3U)});
  return out;
}

Bytes unruly(unsigned options) {
  Bytes out{static_cast<std::byte>(options)};
  const auto say = [&](std::initializer_list<unsigned> operations) {
    for (const unsigned op : operations) out.push_back(static_cast<std::byte>(op));
  };
  for (unsigned i = 0; i < 12; ++i) {
    say({0, i, 1, 9, 5, 2, i, 2 | ((i % 8) << 3U), i, 14, i, 1, 0, 4, 10 * i, 2 | (1U << 3U), 0});
    say({6 | (3U << 3U), i, i + 1, i + 2, 1, 4, 'e', 'n', 'r', ':', 0, 5, 7 | (3U << 3U)});
  }
  return out;
}

}  // namespace

void run_dns_entry(ByteView input) {
  const std::string text = text_of(input);
  if (const auto entry = dns::decode_entry(text)) {
    CHECK(text.size() <= dns::kMaxEntryText);
    CHECK(dns::encode_entry(*entry) == text);
  }
  if (const auto root = dns::Root::decode(text)) CHECK(root->encode() == text);
  if (const auto link = dns::Link::parse(text)) CHECK(link->text() == text);
  if (const auto label = dns::HashLabel::parse(text)) {
    CHECK(label->text() == text && text.size() <= dns::kMaxHashText);
    (void)label->matches("some text");
  }
}

void run_dns_client_operations(ByteView input) {
  Operations in{input};
  ClientRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

void add_dns_seeds(std::vector<Seed>& out) {
  const auto tree = dns::make_tree(records_of(2), {}).value();
  out.push_back({"dns_entry", "root", bytes_of(tree.sign(3, key_of(1)).encode())});
  out.push_back({"dns_entry", "link", bytes_of(link_of("nodes.example.org").text())});
  out.push_back({"dns_entry", "record", bytes_of(record_of(1).record().text())});
  out.push_back({"dns_entry", "branch", bytes_of(tree.entries.find(tree.records.text())->second)});
  out.push_back({"dns_entry", "hash", bytes_of(tree.records.text())});
  out.push_back({"dns_client_operations", "random", walk(0x80)});
  out.push_back({"dns_client_operations", "whole", walk(0x81)});
  out.push_back({"dns_client_operations", "unruly_random", unruly(0x40)});
  out.push_back({"dns_client_operations", "unruly_whole", unruly(0x43)});
}

}  // namespace ethnet::fuzz
