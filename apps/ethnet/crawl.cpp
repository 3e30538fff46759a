#include "crawl.hpp"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <apps/common/node_set.hpp>
#include <apps/common/output_file.hpp>
#include <base/printable.hpp>
#include <census/census.hpp>
#include <census/csv.hpp>
#include <census/server.hpp>
#include <discovery/crawl/crawler.hpp>
#include <fmt/format.h>
#include <runtime/console.hpp>
#include <unistd.h>

namespace ethnet::app {
namespace {

using census::Census;
using crawl::Contact;

constexpr Duration kTurn = seconds(1);            // what was found is stored, and told, so often
constexpr Duration kPlainInterval = seconds(10);  // of lines, where there is no terminal
constexpr std::size_t kBatch = 500;               // rows of one transaction

crawl::CrawlConfig config_of(const DiscvOptions& o, DiscvVersion version) {
  crawl::CrawlConfig out;
  out.protocol = version == DiscvVersion::v4 ? crawl::Protocol::v4 : crawl::Protocol::v5;
  if (o.max_nodes != 0) out.book.nodes = o.max_nodes;
  if (o.recheck_seconds != 0) out.book.recheck = seconds(o.recheck_seconds);
  out.ends = !o.goes_on;
  return out;
}

std::vector<Contact> boot_contacts(const DiscvOptions& o, DiscvVersion version) {
  std::vector<Contact> out;
  for (const std::string& text : o.bootnodes) {
    if (version == DiscvVersion::v5) {
      out.push_back(Contact::of(parse_reachable_record(kBootNodes, text)));
    } else {
      const discv4::V4Node node = parse_v4_node(kBootNodes, text);
      out.push_back({node.id, node.at.endpoint(), nullptr, node.key});
    }
  }
  return out;
}

std::vector<Contact> contacts_of_file(const std::string& path) {
  std::vector<Contact> out;
  if (path.empty()) return out;
  for (const auto& [id, node] : read_node_set(path)) {
    const auto record = kbucket::NodeRecord::of(std::make_shared<const VerifiedEnr>(node.record),
                                                kbucket::RecordPort::udp);
    if (record != nullptr) out.push_back(Contact::of(record));
  }
  return out;
}

// Who answered its last checks well enough, as geth's tool keeps them.
std::string json_of(Census& census) {
  NodeSet nodes;
  for (const crawl::Node& node : census.load()) {
    // The second: a row of before crawls left those out.
    if (node.score <= 0 || node.record->verified()->record().malformed_port()) continue;
    nodes.insert_or_assign(
        node.record->id(),
        KnownNode{*node.record->verified(), node.score, time_text(node.first_response),
                  time_text(node.last_response), time_text(node.last_check)});
  }
  return node_set_json(nodes);
}

std::string csv_of(Census& census) {
  std::string out = census::csv_header();
  census.for_each([&](const census::Row& row) { out += census::csv_line(row); });
  return out;
}

std::optional<Endpoint> parse_serve(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto at = Endpoint::parse(text);
  if (!at) throw std::runtime_error(fmt::format("--serve: '{}': {}", text, at.error().what()));
  return *at;
}

class CrawlRun {
 public:
  CrawlRun(const DiscvOptions& options, DiscvVersion version)
      : options_{options},
        serve_at_{parse_serve(options.serve)},
        boot_{boot_contacts(options, version)},
        told_{contacts_of_file(options.nodes_file)},
        json_{"--json", options.json_file},
        csv_{"--csv", options.csv_file},
        census_{options.census},
        socket_{parse_own_address(options), {}} {
    const auto key = own_key(options, entropy_);
    crawler_ = std::make_unique<crawl::Crawler>(
        runtime::os_now(),
        discovery::HostConfig{.key = key,
                              .local_record = own_record(*key, socket_.local()),
                              .local = {socket_.local()}},
        config_of(options, version), entropy_, Prng{entropy_.next()});
    loop_ = std::make_unique<runtime::MachineLoop<crawl::Crawler>>(
        *crawler_, socket_,
        [this](const crawl::NodeChecked& checked) { census_.put(checked.node); });
  }

  int run() {
    begin();
    while (turn()) {
    }
    console_.clear_status();
    while (!store()) {
    }
    tell(true);
    each_by_itself({[this] { write(json_, json_of); }, [this] { write(csv_, csv_of); },
                    [this] {
                      if (known_ == 0 && crawler_->book().nodes() == 0 && !stopped_) {
                        throw std::runtime_error("nobody answered");
                      }
                    }});
    return 0;
  }

 private:
  // An error keeps no other step from being done. Each is told; the last of them is ours in the
  // end.
  void each_by_itself(std::initializer_list<std::function<void()>> steps) {
    std::optional<std::string> error;
    for (const auto& step : steps) {
      try {
        step();
      } catch (const std::runtime_error& failed) {
        if (error) console_.line(fmt::format("ethnet: {}", printable(*error)));
        error = failed.what();
      }
    }
    if (error) throw std::runtime_error(*error);
  }

  void write(const OutputFile& out, std::string (*text)(Census&)) {
    if (out.is_wanted()) out.write(text(census_));
  }

  void begin() {
    each_by_itself({[this] { json_.check(); }, [this] { csv_.check(); }});
    const std::vector<crawl::Node> known = census_.load();
    known_ = known.size();
    if (boot_.empty() && told_.empty() && known.empty()) {
      throw std::runtime_error("--bootnodes, --nodes: with whom to begin?");
    }
    loop_->input([&](crawl::Crawler& crawler, Now now) {
      for (const crawl::Node& node : known) (void)crawler.restore(now, node);
      for (const Contact& contact : told_) crawler.add(now, contact);
      crawler.begin(now, boot_);
    });
    const Instant now = runtime::os_now().mono;
    began_ = now;
    until_ = options_.crawl_seconds == 0 ? Instant::never() : now + seconds(options_.crawl_seconds);
    if (serve_at_) {
      server_.emplace(options_.census, *serve_at_, options_.http_hosts);
      console_.line(fmt::format("serving {}", server_->url()));
    }
    if (known_ > 0)
      console_.line(fmt::format("{}: {} nodes of earlier runs", options_.census, known_));
  }

  // False: it was the last one.
  bool turn() {
    const Instant end_of_turn = std::min(until_, runtime::os_now().mono + kTurn);
    const auto end = loop_->run(
        [this] { return ends_now() || (!is_locked_ && census_.waiting() >= kBatch); }, end_of_turn);
    (void)store();
    stopped_ = end == runtime::LoopEnd::stopped;
    if (stopped_ || ends_now() || runtime::os_now().mono >= until_) return false;
    tell(false);
    return true;
  }

  // False: another process is in the way, so that it takes another try.
  bool store() {
    const bool was_locked = std::exchange(is_locked_, !census_.commit(runtime::os_now().mono));
    if (is_locked_ && !was_locked) {
      console_.line(fmt::format("{}: another process holds its lock; what is found waits",
                                printable(options_.census)));
    }
    return !is_locked_;
  }

  // What is served is served until somebody says otherwise.
  [[nodiscard]] bool ends_now() const { return crawler_->ended() && !server_; }

  void tell(bool is_last) {
    const crawl::CrawlCounters& c = crawler_->counters();
    const Instant now = runtime::os_now().mono;
    std::string line = fmt::format(
        "crawl  {} nodes ({} new)  {} answers, {} silent  {} to ask, {} being asked  {} s",
        crawler_->book().nodes(), c.first_answers, c.answered, c.silent, crawler_->book().claims(),
        crawler_->visits(), (now - began_).ns / seconds(1).ns);
    if (census_.refused() > 0) {
      line += fmt::format("  {} not stored: {} is full", census_.refused(), options_.census);
    }
    if (c.odd_ports > 0) line += fmt::format("  {} left out: a port that is none", c.odd_ports);
    if (console_.is_terminal() && !is_last) return console_.status(line);
    if (!is_last && now < next_line_) return;
    next_line_ = now + kPlainInterval;
    console_.line(is_last ? line + "  done" : line);
  }

  const DiscvOptions& options_;
  runtime::StopSignals signals_;  // before all else: a signal from here on is a clean end
  std::optional<Endpoint> serve_at_;
  std::vector<Contact> boot_;
  std::vector<Contact> told_;
  OutputFile json_;
  OutputFile csv_;
  Census census_;
  runtime::OsEntropy entropy_;
  runtime::UdpSocket socket_;
  runtime::Console console_{STDERR_FILENO};
  std::unique_ptr<crawl::Crawler> crawler_;
  std::unique_ptr<runtime::MachineLoop<crawl::Crawler>> loop_;
  std::optional<census::Server> server_;
  std::size_t known_ = 0;
  Instant began_;
  Instant until_;
  Instant next_line_;
  bool stopped_ = false;
  bool is_locked_ = false;
};

}  // namespace

int run_crawl(const DiscvOptions& options, DiscvVersion version) {
  return CrawlRun{options, version}.run();
}

}  // namespace ethnet::app
