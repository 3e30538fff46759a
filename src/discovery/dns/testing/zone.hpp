// For tests: trees published in a DNS of our own, and a client that asks it in virtual time.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <base/prng.hpp>
#include <base/secure_rng.hpp>
#include <types/node_id.hpp>

#include "../client.hpp"

namespace ethnet::dns::testing {

class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_;
};

inline crypto::SecretKey key_of(std::uint64_t number) {
  ByteArray<32> bytes{};
  store_be<std::uint64_t>(MutByteView{bytes}.last(8), number + 1);
  return crypto::SecretKey::from_bytes(bytes).value();
}

inline VerifiedEnr record_of(std::uint64_t number, std::uint64_t seq = 1) {
  return EnrBuilder{seq}
      .ip(IpAddress::v4({std::byte{8}, static_cast<std::byte>(number >> 16),
                         static_cast<std::byte>(number >> 8), static_cast<std::byte>(number)}))
      .udp(30303)
      .tcp(30303)
      .sign(key_of(number))
      .value();
}

// Those numbered from `first` on.
inline std::vector<VerifiedEnr> records_of(std::size_t count, std::uint64_t first = 0) {
  std::vector<VerifiedEnr> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(record_of(first + i));
  return out;
}

// The tree at `domain` is signed by the key of this number.
inline constexpr std::uint64_t kPublisher = 1'000'000;
inline Link link_of(std::string_view domain, std::uint64_t publisher = kPublisher) {
  return Link::make(key_of(publisher).public_key(), domain).value();
}

class Zone {
 public:
  Root publish(const std::string& domain, const Tree& tree, std::uint64_t seq,
               std::uint64_t publisher = kPublisher) {
    const Root root = tree.sign(seq, key_of(publisher));
    at(domain) = {root.encode()};
    for (const auto& [label, text] : tree.entries) at(label + "." + domain) = {text};
    return root;
  }
  // An entry with any text, under its hash; the hash.
  HashLabel put(const std::string& domain, const std::string& text) {
    const HashLabel label = HashLabel::of(text);
    at(label.name_under(domain)) = {text};
    return label;
  }
  void put_root(const std::string& domain, const HashLabel& records, const HashLabel& links,
                std::uint64_t seq, std::uint64_t publisher = kPublisher) {
    at(domain) = {Tree{records, links, {}}.sign(seq, key_of(publisher)).encode()};
  }
  std::vector<std::string>& at(const std::string& name) { return texts_[lower(name)]; }
  void erase(const std::string& name) { texts_.erase(lower(name)); }
  [[nodiscard]] const std::vector<std::string>* find(const std::string& name) const {
    const auto found = texts_.find(lower(name));
    return found == texts_.end() ? nullptr : &found->second;
  }

 private:
  // Names in the DNS have no case.
  static std::string lower(std::string name) {
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return name;
  }

  std::map<std::string, std::vector<std::string>> texts_;
};

// Answers at once unless told otherwise, and notes all that is asked and told.
class Rig {
 public:
  explicit Rig(const ClientOptions& options, std::uint64_t seed = 1)
      : rng_{seed}, client{rng_, options} {}

 private:
  TestRng rng_;

 public:
  Zone zone;
  Client client;
  Duration time;
  bool silent = false;  // the resolver says nothing
  bool broken = false;  // it says that it failed
  std::vector<std::pair<Duration, std::string>> asked;
  std::vector<ClientEvent> events;

  [[nodiscard]] Now now() const {
    return {Instant{1'000'000'000} + time, UnixTime::from_seconds(1'700'000'000) + time};
  }
  void answer() {
    while (const auto question = client.poll_question()) {
      asked.emplace_back(time, question->name);
      if (silent) continue;
      const auto* texts = zone.find(question->name);
      if (broken) {
        client.handle_failure(now(), question->id, DnsError::unanswered);
      } else if (texts == nullptr) {
        client.handle_failure(now(), question->id, DnsError::not_found);
      } else {
        client.handle_answer(now(), question->id, *texts);
      }
      take_events();
    }
  }
  void take_events() {
    while (auto event = client.poll_event()) events.push_back(*std::move(event));
  }
  // Until nothing is left to do.
  void run() { go(seconds(100'000)); }
  // Until then, and it is then.
  void run(Duration until) {
    go(until);
    time = std::max(time, until);
  }
  template <class E>
  [[nodiscard]] std::vector<E> told() const {
    std::vector<E> out;
    for (const ClientEvent& event : events) {
      if (const auto* one = std::get_if<E>(&event)) out.push_back(*one);
    }
    return out;
  }
  [[nodiscard]] std::set<NodeId> found() const {
    std::set<NodeId> out;
    for (const NodeFound& one : told<NodeFound>()) out.insert(one.record.node_id());
    return out;
  }
  [[nodiscard]] std::uint64_t refused(DnsError why) const {
    return client.counters().refused[static_cast<std::size_t>(why)];
  }
  [[nodiscard]] std::size_t times_asked(std::string_view name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(asked, [&](const auto& one) { return one.second == name; }));
  }

 private:
  void go(Duration until) {
    while (true) {
      answer();
      take_events();
      const Instant next = client.next_deadline();
      if (next.is_never() || next > Instant{1'000'000'000} + until) break;
      time = std::max(time, next - Instant{1'000'000'000});
      client.handle_deadline(now());
    }
  }
};

inline std::set<NodeId> ids_of(std::span<const VerifiedEnr> records) {
  std::set<NodeId> out;
  for (const VerifiedEnr& record : records) out.insert(record.node_id());
  return out;
}

}  // namespace ethnet::dns::testing
