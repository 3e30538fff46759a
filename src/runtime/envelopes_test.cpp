// Two whole nodes over real loopback sockets, each on a thread of its own with its job pool and
// store thread, and ten observers of one of them on theirs, through starts and stops. What every
// envelope carries is the announcement of one header, so that its number tells a gap or a swap.
//
// ETHNET_ENVELOPES=100000 runs more of them: build the preset tsan for it.
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include <boost/asio/post.hpp>
#include <chain/producer.hpp>
#include <gtest/gtest.h>
#include <store/memory_file_system.hpp>
#include <store/segment_store.hpp>

#include "node_runner.hpp"
#include "os.hpp"
#include "udp.hpp"

namespace ethnet::runtime {
namespace {

constexpr std::uint64_t kRounds = 3;       // starts of both nodes
constexpr std::size_t kObservers = 10;     // of the node that follows
constexpr std::uint64_t kWindow = 16;      // headers sealed ahead of what the slowest observer saw
constexpr std::size_t kSegment = 200'000;  // bytes, so that the store makes many
constexpr auto kPatience = std::chrono::seconds(60);

std::uint64_t wanted_envelopes() {
  const char* text = std::getenv("ETHNET_ENVELOPES");
  return text == nullptr ? 5'000 : std::strtoull(text, nullptr, 10);
}

// An observer has seen something.
struct Moved {
  std::mutex mutex;
  std::condition_variable condition;
};

// What a page or a metrics server is: a thread with a bounded queue of immutable events.
class Observer {
 public:
  struct Seen {
    std::uint64_t sessions_up = 0;
    std::uint64_t sessions_down = 0;
    std::uint64_t heads = 0;
    std::uint64_t height = 0;
    std::uint64_t digest = 0;  // of all heights in order
    std::uint64_t backwards = 0;
  };

  explicit Observer(Moved& moved) : moved_{moved} {}
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() {
    {
      const std::lock_guard lock{mutex_};
      ended_ = true;
    }
    arrived_.notify_one();
    thread_.join();
  }

  void push(std::shared_ptr<const node::NodeEvent> event) {
    {
      const std::lock_guard lock{mutex_};
      if (queue_.size() == node::kMaxNodeEvents) {
        ++dropped_;
        return;
      }
      queue_.push_back(std::move(event));
    }
    arrived_.notify_one();
  }
  [[nodiscard]] Seen seen() const {
    const std::lock_guard lock{mutex_};
    return seen_;
  }
  [[nodiscard]] std::uint64_t dropped() const {
    const std::lock_guard lock{mutex_};
    return dropped_;
  }

 private:
  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      arrived_.wait(lock, [this] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const auto event = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      Seen next = judge(*event);
      lock.lock();
      seen_ = next;
      lock.unlock();
      // Between the look and the wait of who waits, there is then no room for this.
      {
        const std::lock_guard waiting{moved_.mutex};
      }
      moved_.condition.notify_all();
      lock.lock();
    }
  }
  // Only this thread writes seen_.
  [[nodiscard]] Seen judge(const node::NodeEvent& event) const {
    Seen next = seen_;
    if (std::holds_alternative<node::SessionUp>(event)) ++next.sessions_up;
    if (std::holds_alternative<node::SessionDown>(event)) ++next.sessions_down;
    if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
      ++next.heads;
      if (head->number <= next.height) ++next.backwards;
      next.height = head->number;
      next.digest = next.digest * 1'099'511'628'211U + head->number;
    }
    return next;
  }

  Moved& moved_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<const node::NodeEvent>> queue_;
  Seen seen_;
  std::uint64_t dropped_ = 0;
  bool ended_ = false;
  std::thread thread_{[this] { run(); }};
};

using Observers = std::vector<std::unique_ptr<Observer>>;

// What stays of a node when it stops.
struct Disk {
  OsEntropy entropy;
  std::shared_ptr<const crypto::SecretKey> key =
      std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy));
  store::MemoryFileSystem files;
};

// The announcements that came over one session: each is the next.
class Ledger {
 public:
  void handle(const session::SessionEvent& event) {
    if (std::holds_alternative<session::SessionOpened>(event)) last_.reset();
    const auto* message = std::get_if<session::MessageReceived>(&event);
    if (message == nullptr) return;
    const auto number = announced(message->payload);
    if (!number) return;
    ++announcements_;
    if (last_ && *number != *last_ + 1) ++breaks_;
    last_ = number;
  }
  [[nodiscard]] std::uint64_t announcements() const { return announcements_; }
  [[nodiscard]] std::uint64_t breaks() const { return breaks_; }

 private:
  static std::optional<std::uint64_t> announced(ByteView payload) {
    if (const auto block = mini_sync::decode_new_block(payload)) {
      const auto header = Header::decode(block->item.header);
      return header ? std::optional{header->number} : std::nullopt;
    }
    if (const auto hashes = mini_sync::decode_new_block_hashes(payload)) {
      return hashes->blocks.back().number;
    }
    return std::nullopt;
  }

  std::optional<std::uint64_t> last_;
  std::uint64_t announcements_ = 0;
  std::uint64_t breaks_ = 0;
};

// A node from its start to its stop.
class Station {
 public:
  Station(Disk& disk, const Observers& observers, std::optional<Endpoint> peer) {
    store::OpenReport report;
    store_ = *store::SegmentStore::open(disk.files, "d", report, kSegment);
    std::vector<std::unique_ptr<UdpSocket>> sockets;
    sockets.push_back(
        std::make_unique<UdpSocket>(Endpoint{IpAddress::loopback_v4(), 0}, UdpOptions{}));
    local_ = sockets.front()->local();
    node::NodeConfig config;
    config.listen = {local_};
    config.genesis = chain::dev_genesis();
    if (peer) config.peers.push_back({peer, {}, 0, std::nullopt});
    node_ = *node::Node::make(os_now(), config, disk.key, disk.entropy, Prng{7}, log_);
    CHECK(store_->replay([&](ByteView record) { return node_->restore(record); }).has_value());
    node_->set_session_tap([this](const session::SessionEvent& e) { ledger_.handle(e); });
    runner_ = std::make_unique<NodeRunner>(
        *node_, std::move(sockets),
        [this](const StoreOp& op) {
          return StoreResult{op.id, store_->append(op.records).has_value(), 0};
        },
        [&observers](const node::NodeEvent& event) {
          const auto shared = std::make_shared<const node::NodeEvent>(event);
          for (const auto& observer : observers) observer->push(shared);
        });
    thread_ = std::thread{[this] {
      runner_->input([](node::Node& n, Now now) { n.start(now); });
      runner_->run();
    }};
  }
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  ~Station() {
    stop();
    thread_.join();
    EXPECT_EQ(runner_->finish_store(seconds(60)), 0U);
    EXPECT_EQ(ledger_.breaks(), 0U) << "an announcement was lost or came out of order";
  }

  [[nodiscard]] const Endpoint& local() const { return local_; }
  void stop() {
    if (!std::exchange(stopped_, true))
      boost::asio::post(runner_->io(), [this] { runner_->stop(); });
  }
  void import(chain::HeaderInput header) {
    boost::asio::post(runner_->io(), [this, owned = std::move(header)] {
      runner_->input([&](node::Node& node, Now now) {
        const auto outcome = node.import_headers(now, std::span{&owned, 1}, {"test", "import"});
        EXPECT_EQ(outcome.added, 1U);
      });
    });
  }
  // Answered by the thread of the node.
  [[nodiscard]] node::NodeSnapshot snapshot() {
    std::promise<node::NodeSnapshot> made;
    auto future = made.get_future();
    boost::asio::post(runner_->io(), [&] { made.set_value(runner_->snapshot()); });
    return future.get();
  }
  [[nodiscard]] std::uint64_t counter(std::string_view name) {
    for (const node::Counter& counter : snapshot().counters) {
      if (counter.name == name) return counter.value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  // After its end.
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }

 private:
  NullLog log_;
  Endpoint local_;
  std::unique_ptr<store::SegmentStore> store_;
  std::unique_ptr<node::Node> node_;
  Ledger ledger_;
  std::unique_ptr<NodeRunner> runner_;
  std::thread thread_;
  bool stopped_ = false;
};

class Envelopes : public testing::Test {
 protected:
  Envelopes() {
    for (std::size_t i = 0; i < kObservers; ++i) {
      observers_.push_back(std::make_unique<Observer>(moved_));
    }
  }

  void start() {
    source_ = std::make_unique<Station>(source_disk_, nobody_, std::nullopt);
    follower_ = std::make_unique<Station>(follower_disk_, observers_, source_->local());
    ++starts_;
    ASSERT_TRUE(every_observer([&](const Observer::Seen& s) { return s.sessions_up == starts_; }));
  }
  void stop() {
    follower_->stop();
    source_->stop();
    follower_.reset();
    source_.reset();
  }
  // The next `count` headers, no further ahead of the slowest observer than the window.
  void announce(std::uint64_t count, std::uint64_t window) {
    for (std::uint64_t i = 0; i < count; ++i) {
      chain::HeaderInput sealed =
          chain::seal_signed(config_, parent_, parent_.timestamp + 1, *source_disk_.key, "test");
      parent_ = *Header::decode(sealed.header);
      source_->import(std::move(sealed));
      if (parent_.number > window) ASSERT_TRUE(observed(parent_.number - window));
    }
  }
  [[nodiscard]] bool observed(std::uint64_t height) {
    return every_observer([&](const Observer::Seen& seen) { return seen.height >= height; });
  }
  template <class Predicate>
  [[nodiscard]] bool every_observer(const Predicate& holds) {
    std::unique_lock lock{moved_.mutex};
    return moved_.condition.wait_for(lock, kPatience, [&] {
      return std::ranges::all_of(observers_, [&](const auto& o) { return holds(o->seen()); });
    });
  }
  [[nodiscard]] std::uint64_t received() {
    return source_->counter("session.messages_in") + follower_->counter("session.messages_in");
  }
  // What one has sent on the live session, the other has got: envelopes in flight arrive first.
  void expect_nothing_lost() {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    std::array<std::uint64_t, 4> seen{};
    do {
      seen = {source_->counter("session.messages_out"), follower_->counter("session.messages_in"),
              follower_->counter("session.messages_out"), source_->counter("session.messages_in")};
    } while ((seen[0] != seen[1] || seen[2] != seen[3]) && std::chrono::steady_clock::now() < end);
    EXPECT_EQ(seen[0], seen[1]) << "from the source to the follower";
    EXPECT_EQ(seen[2], seen[3]) << "from the follower to the source";
    envelopes_ += seen[1] + seen[3];
    EXPECT_EQ(source_->counter("session.active.inbound"), 1U);
  }
  void expect_same_observations() {
    const Observer::Seen first = observers_.front()->seen();
    EXPECT_GT(first.heads, 0U);
    for (const auto& observer : observers_) {
      EXPECT_EQ(observer->dropped(), 0U);
      EXPECT_EQ(observer->seen().backwards, 0U);
      EXPECT_EQ(observer->seen().heads, first.heads);
      EXPECT_EQ(observer->seen().digest, first.digest);
    }
  }

  const ChainConfig config_ = chain::dev_genesis().config;
  Header parent_ = chain::dev_genesis().header;
  Moved moved_;
  Observers observers_;
  const Observers nobody_;
  Disk source_disk_;
  Disk follower_disk_;
  std::uint64_t starts_ = 0;
  std::uint64_t envelopes_ = 0;
  std::unique_ptr<Station> source_;
  std::unique_ptr<Station> follower_;
};

TEST_F(Envelopes, NoneIsLostOrOutOfOrderThroughStartsAndStops) {
  const std::uint64_t wanted = wanted_envelopes();
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(start());
    while (envelopes_ + received() < wanted * round / kRounds) {
      ASSERT_NO_FATAL_FAILURE(announce(100, kWindow));
    }
    ASSERT_TRUE(observed(parent_.number));
    expect_nothing_lost();
    stop();
  }
  EXPECT_GE(envelopes_, wanted);
  expect_same_observations();
  std::printf("envelopes: %llu\n", static_cast<unsigned long long>(envelopes_));
}

TEST_F(Envelopes, AStopInTheMiddleLosesNothingThatComesAfterIt) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (int i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(announce(40, 1'000'000));
    follower_->stop();  // while they come
    follower_ = nullptr;
    follower_ = std::make_unique<Station>(follower_disk_, observers_, source_->local());
    ++starts_;
    ASSERT_TRUE(observed(parent_.number));
  }
  ASSERT_NO_FATAL_FAILURE(announce(40, kWindow));
  ASSERT_TRUE(observed(parent_.number));
  stop();
  expect_same_observations();
}

}  // namespace
}  // namespace ethnet::runtime
