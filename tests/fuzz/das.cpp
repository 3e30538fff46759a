// das-lite: its decoders, and the engine by operations: sessions that open and close, peers that
// announce truly and falsely, answer rightly, wrongly, late or not at all, and commands.
#include <algorithm>
#include <map>
#include <set>

#include <das/testing/test_data.hpp>
#include <protocol/das_lite/engine.hpp>
#include <sim/seeded_secure_rng.hpp>

#include "das_machine.hpp"
#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace das_lite;
using das::testing::test_data;
using session::SessionHandle;

constexpr std::size_t kMaxOperations = 400;
constexpr std::uint32_t kMaxSessions = 6;

// What peers have. Index 4 is nobody's: it is published here.
const std::vector<das::DataSet>& served() {
  static const std::vector<das::DataSet> made{test_data(1, 40, 1), test_data(5, 33, 2),
                                              test_data(40, 8, 3), test_data(300, 5, 4),
                                              test_data(20, 60, 5)};
  return made;
}

Config config_of(std::uint8_t options) {
  Config config;
  config.auto_sample = (options & 1U) != 0;
  config.samples = 1 + (options >> 1U) % 12;
  config.store.lifetime = seconds((options & 0x40U) != 0 ? 20 : 3'600);
  if ((options & 0x80U) != 0) {  // at its limits all the time
    config.store.max_bytes = 3'000;
    config.store.max_pinned_bytes = 2'500;
  }
  return config;
}

class DasRun {
 public:
  explicit DasRun(std::uint8_t options)
      : rng_{Prng{options}},
        indices_{rng_},
        config_{config_of(options)},
        engine_{config_, indices_, log_} {}

  void step(Operations& in) {
    ++seen_so_far_.operations;
    const std::uint8_t op = in.byte();
    switch (op % 12) {
      case 0:
        open();
        break;
      case 1:
        close(pick(in));
        break;
      case 2:
      case 3:
      case 4:
        answer(in, op);
        break;
      case 5:
      case 6:
        say(in);
        break;
      case 7:
        pass_some(in.byte());
        break;
      case 8:
        command(in);
        break;
      case 9:
        finish_job(in);
        break;
      default:
        poll(in, op);
    }
    check();
  }

  void finish() {
    while (!open_.empty()) close(*open_.begin());
    while (!jobs_.empty()) {
      engine_.handle_job_done(now_, {jobs_.back().id, jobs_.back().work()});
      jobs_.pop_back();
    }
    check();
    CHECK(engine_.held() == 0);
    CHECK(!engine_.poll_outgoing());
    pass(config_.store.lifetime + seconds(1));
    check();
    CHECK(engine_.store().bytes() == 0);
    CHECK(engine_.data_sets().empty());
    CHECK(engine_.next_deadline().is_never());
    CHECK(begun_ == ended_);
  }

  [[nodiscard]] DasCounts counts() const {
    DasCounts out = seen_so_far_;
    out.engine = engine_.counters();
    out.store = engine_.store().counters();
    return out;
  }

 private:
  void open() {
    if (open_.size() >= kMaxSessions) return;
    const SessionHandle session{next_++, 1};
    open_.insert(session);
    engine_.handle_session_opened(now_, session,
                                  {IpAddress::loopback_v4(), static_cast<std::uint16_t>(next_)});
  }
  void close(std::optional<SessionHandle> session) {
    if (!session) return;
    open_.erase(*session);
    asked_.erase(*session);
    engine_.handle_session_closed(now_, *session);
  }
  std::optional<SessionHandle> pick(Operations& in) {
    if (open_.empty()) return std::nullopt;
    return *std::next(open_.begin(), static_cast<std::ptrdiff_t>(in.below(open_.size())));
  }
  static const das::DataSet* data_of(const das::DataId& id) {
    const auto it = std::ranges::find(served(), id, [](const auto& one) { return one.key().id; });
    return it == served().end() ? nullptr : &*it;
  }

  // A chunk that a session was asked for, as it is, not held, or changed; or all of them as they
  // are.
  void answer(Operations& in, std::uint8_t op) {
    const auto session = pick(in);
    if (!session) return;
    const bool all = (op & 0xc0U) == 0;
    for (bool more = true; more; more = all) {
      std::vector<ChunkName>& asked = asked_[*session];
      if (asked.empty()) return;
      const std::size_t at = all ? 0 : in.below(asked.size());
      const ChunkName name = asked[at];
      asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(at));
      answer_one(in, op, *session, name);
    }
  }
  void answer_one(Operations& in, std::uint8_t op, SessionHandle session, const ChunkName& name) {
    ChunkResponse response{name.data_id, name.index, {}, {}};
    const das::DataSet* data = data_of(name.data_id);
    if (data != nullptr && name.index < data->shape().total_chunks) {
      response.bytes = to_bytes(data->chunk(name.index));
      response.proof = data->proof(name.index);
      came_[data->key()].insert(name.index);
    }
    if ((op & 0x80U) != 0) spoil(in, response);
    engine_.handle_message(now_, session, encode(response));
  }
  static void spoil(Operations& in, ChunkResponse& response) {
    switch (in.below(4)) {
      case 0:
        response.bytes.clear();
        response.proof.clear();
        break;
      case 1:
        if (!response.bytes.empty())
          response.bytes[in.below(response.bytes.size())] ^= std::byte{1};
        break;
      case 2:
        if (!response.proof.empty())
          response.proof[in.below(response.proof.size())] ^= std::byte{4};
        break;
      default:
        response.index = static_cast<std::uint32_t>(in.below(300));
    }
  }

  // An announcement that is true, has other sizes or another name; a request; or any bytes.
  void say(Operations& in) {
    const auto session = pick(in);
    if (!session) return;
    const std::uint8_t kind = in.byte();
    const das::DataSet& data = served()[in.below(served().size())];
    das::DataKey key = data.key();
    switch (kind % 16) {
      case 0:
        key.shape = das::split_shape(1 + in.byte(), 1 + in.byte() % 16U).value();
        engine_.handle_message(now_, *session, encode(AnnounceData{key}));
        break;
      case 1:
        key.id.bytes.front() = static_cast<std::byte>(in.byte());
        engine_.handle_message(now_, *session, encode(AnnounceData{key}));
        break;
      case 2:
      case 3: {
        RequestChunk request{key.id, {static_cast<std::uint32_t>(in.below(40))}};
        for (std::size_t i = in.below(kMaxBatch); i > 0; --i) {
          request.indices.push_back(request.indices.back() + 1);
        }
        for (std::size_t times = kind < 128 ? 1 : 5; times > 0; --times) {
          engine_.handle_message(now_, *session, encode(request));
        }
        break;
      }
      case 4:
        engine_.handle_message(now_, *session, in.bytes(in.byte()));
        break;
      default:
        engine_.handle_message(now_, *session, encode(AnnounceData{key}));
    }
  }

  // Mostly less than a request may take.
  void pass_some(std::uint8_t amount) { pass(milliseconds(amount * (amount < 200 ? 10 : 50))); }
  void pass(Duration amount) {
    now_.mono = now_.mono + amount;
    engine_.handle_deadline(now_);
    CHECK(engine_.next_deadline() > now_.mono);
  }

  void command(Operations& in) {
    const std::uint8_t kind = in.byte();
    const das::DataSet& data = served()[in.below(served().size())];
    if (kind % 3 == 0) {
      Bytes bytes;
      for (std::uint32_t i = 0; i < data.shape().total_chunks; ++i) append(bytes, data.chunk(i));
      if (!engine_.publish(now_, std::move(bytes), data.shape().chunk_size)) return;
      for (std::uint32_t i = 0; i < data.shape().total_chunks; ++i) came_[data.key()].insert(i);
    } else if (kind % 3 == 1) {
      begun_ += engine_.sample(now_, data.key().id, in.byte()).has_value() ? 1U : 0U;
    } else {
      begun_ += engine_.get(now_, data.key().id).has_value() ? 1U : 0U;
    }
  }
  void finish_job(Operations& in) {
    if (jobs_.empty()) return;
    const std::size_t at = in.below(jobs_.size());
    const Job job = std::move(jobs_[at]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
    engine_.handle_job_done(now_, {job.id, job.work()});
  }

  // Everything goes out, or one message, or the session has no room for it.
  void poll(Operations& in, std::uint8_t op) {
    const bool all = (op & 0xc0U) == 0;
    for (bool more = true; more; more = all) {
      auto out = engine_.poll_outgoing();
      if (!out) return;
      CHECK(open_.contains(out->session));
      CHECK(out->priority == Priority::bulk);
      if ((op & 0x80U) == 0) {
        check_sent(*out);
        continue;
      }
      const SessionHandle session = out->session;
      engine_.handle_send_refused(now_, std::move(*out));
      if (in.byte() % 2 == 0) engine_.handle_writable(now_, session);
    }
  }
  void check_sent(const Outgoing& out) {
    if (const auto request = decode_request_chunk(out.payload)) {
      for (const std::uint32_t index : request->indices) {
        asked_[out.session].push_back({request->data_id, index});
      }
    } else if (const auto announced = decode_announce_data(out.payload)) {
      CHECK(came_[announced->key].size() == announced->key.shape.total_chunks);
    } else {
      const auto response = decode_chunk_response(out.payload);
      CHECK(response.has_value());
      if (response->bytes.empty()) return;
      const das::DataSet* data = data_of(response->data_id);
      CHECK(data != nullptr);
      CHECK(equal(response->bytes, data->chunk(response->index)));
      CHECK(response->proof == data->proof(response->index));
    }
  }

  void check() {
    while (auto event = engine_.poll_event()) on_event(*event);
    while (auto job = engine_.poll_job()) jobs_.push_back(std::move(*job));
    const das::Store& store = engine_.store();
    CHECK(store.bytes() <= store.limits().max_bytes);
    CHECK(store.pinned_bytes() <= store.limits().max_pinned_bytes);
    CHECK(engine_.peer_count() == open_.size());
    for (const DataSetView& view : engine_.data_sets()) {
      CHECK(view.announcers <= open_.size());
      CHECK(view.held <= came_[view.key].size());
      CHECK(!view.whole || view.held == view.key.shape.total_chunks);
    }
  }
  void on_event(const Event& event) {
    if (const auto* bad = std::get_if<PeerMisbehaved>(&event)) {
      CHECK(open_.contains(bad->session));
      ++seen_so_far_.misbehaved[static_cast<std::size_t>(bad->what)];
      close(bad->session);
    } else if (const auto* scored = std::get_if<PeerScored>(&event)) {
      CHECK(scored->session.valid());
    } else if (const auto* verdict = std::get_if<DasVerdict>(&event)) {
      // Never more than what was truly given: nothing false counts, whatever was said.
      CHECK(verdict->received <= verdict->requested);
      CHECK(verdict->requested <= verdict->key.shape.total_chunks);
      CHECK(verdict->received <= came_[verdict->key].size());
      CHECK(verdict->fooled_probability >= 0 && verdict->fooled_probability <= 1);
      begun_ += verdict->automatic && seen_.insert(verdict->run).second ? 1U : 0U;
      ended_ += verdict->done ? 1U : 0U;
      seen_so_far_.full_verdicts += verdict->done && verdict->confidence == 1.0 ? 1U : 0U;
    } else if (const auto* progress = std::get_if<GetProgress>(&event)) {
      CHECK(progress->received <= came_[progress->key].size());
      ended_ += progress->done ? 1U : 0U;
      seen_so_far_.whole_gets += progress->done && progress->received == progress->total ? 1U : 0U;
    }
  }

  sim::SeededSecureRng rng_;
  das::SecureIndexSource indices_;
  NullLog log_;
  Config config_;
  Engine engine_;
  Now now_{{1'000'000'000}, {}};
  std::uint32_t next_ = 1;
  std::set<SessionHandle> open_;
  std::map<SessionHandle, std::vector<ChunkName>> asked_;
  std::map<das::DataKey, std::set<std::uint32_t>> came_;  // truly given or published, ever
  std::set<std::uint64_t> seen_;                          // automatic runs
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  std::vector<Job> jobs_;
  DasCounts seen_so_far_;
};

template <class Message>
void expect_same(const Result<Message>& message, ByteView payload) {
  if (message) CHECK(equal(das_lite::encode(*message), payload));
}

}  // namespace

void run_das_lite(ByteView input) {
  expect_same(decode_announce_data(input), input);
  expect_same(decode_request_chunk(input), input);
  const auto response = decode_chunk_response(input);
  expect_same(response, input);
  if (!response) return;
  CHECK(peek_chunk_name(input) == (ChunkName{response->data_id, response->index}));
  // No bytes of a stranger are a chunk of this data set, but its own.
  const das::DataSet& data = served()[1];
  const auto chunk =
      das::verify_chunk(data.key(), response->index, response->bytes, response->proof);
  if (chunk) CHECK(equal(chunk->bytes(), data.chunk(chunk->index())));
}

DasCounts run_das(ByteView input) {
  Operations in{input};
  DasRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
  return run.counts();
}

void run_das_operations(ByteView input) { (void)run_das(input); }

}  // namespace ethnet::fuzz
