// Host: a machine with its pump, its type erased, so that a world can hold any. MachineHost<M>
// makes one of any machine of the contract (src/machine/concepts.hpp), wrapped in Checked<M>.
//
// A HostFactory builds the machine at every start of the host; what survived is env.records:
//   spec.factory = [](const HostEnv& env) {
//     return make_machine_host<Counter>(env, [](Now, const CounterEvent& e) { return describe(e);
//     },
//                                       env.index, env.local, env.rng, env.records);
//   };
// The observer sees every event and returns its text for the trace (empty: not recorded).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <base/log.hpp>
#include <base/prng.hpp>
#include <base/secure_rng.hpp>
#include <machine/checked.hpp>
#include <machine/concepts.hpp>
#include <machine/pump.hpp>

#include "cost.hpp"

namespace ethnet::sim {

using HostId = std::uint32_t;

// Where the outputs of a machine go: the world.
class Outputs {
 public:
  Outputs() = default;
  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;
  virtual ~Outputs() = default;

  virtual bool transmit(const Transmit& transmit, ByteView bytes) = 0;
  [[nodiscard]] virtual Now now() const = 0;
  virtual void event(std::string text) = 0;
  virtual void job(Job job) = 0;
  virtual void store(StoreOp op) = 0;
};

// What a factory may use. References live as long as the machine that is built from them.
struct HostEnv {
  HostId index = 0;
  std::uint32_t incarnation = 0;  // 0 at the first start
  Now now;
  Endpoint local;
  Prng prng;                   // this incarnation's own stream
  SecureRng& rng;              // likewise
  Log& log;                    // goes into the trace
  std::vector<Bytes> records;  // durable records in order, as recovery found them
  Outputs& outputs;
  MutByteView scratch;  // kTransmitBufferBytes for the pump
};

class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;

  virtual void handle_datagrams(Now now, std::span<const Datagram> batch) = 0;
  virtual void handle_deadline(Now now) = 0;
  virtual void handle_job_done(Now now, const JobResult& done) = 0;
  virtual void handle_store_done(Now now, const StoreResult& done) = 0;
  virtual void handle_writable(Now now) = 0;
  virtual void resume(Now now) = 0;
  [[nodiscard]] virtual bool needs_drain() const = 0;
  [[nodiscard]] virtual bool waits_for_writable() const = 0;
  [[nodiscard]] virtual Instant next_deadline() const = 0;
  // What the machine counts of what it did (cost.hpp); nothing when it counts none.
  [[nodiscard]] virtual Work work() const = 0;
};

using HostFactory = std::function<std::unique_ptr<Host>(const HostEnv&)>;

namespace detail {
template <class M>
struct ObserverOf {
  using Type = std::function<std::string(Now)>;  // never called
};
template <HasEvents M>
struct ObserverOf<M> {
  using Type = std::function<std::string(Now, const EventOf<M>&)>;
};
}  // namespace detail
template <class M>
using Observer = typename detail::ObserverOf<M>::Type;

template <class M>
class MachineHost final : public Host {
 public:
  template <class... Args>
  MachineHost(const HostEnv& env, PumpLimits limits, Observer<M> observer, Args&&... args)
      : checked_(std::forward<Args>(args)...),
        sink_{env.outputs, std::move(observer)},
        pump_{checked_, sink_, env.scratch, limits} {}

  [[nodiscard]] M& machine() { return checked_.machine(); }
  [[nodiscard]] const M& machine() const { return checked_.machine(); }
  // Any input that Host does not name: f(M&), then the drain.
  template <std::invocable<M&> F>
  void input(Now now, F&& f) {
    pump_.input(now, [&](Checked<M>& checked) { std::forward<F>(f)(checked.machine()); });
  }

  void handle_datagrams(Now now, std::span<const Datagram> batch) override {
    if constexpr (HasDatagrams<M>) pump_.handle_datagrams(now, batch);
  }
  void handle_deadline(Now now) override {
    if constexpr (HasDeadline<M>) pump_.handle_deadline(now);
  }
  void handle_job_done(Now now, const JobResult& done) override {
    if constexpr (HasJobs<M>) pump_.handle_job_done(now, done);
  }
  void handle_store_done(Now now, const StoreResult& done) override {
    if constexpr (HasStore<M>) pump_.handle_store_done(now, done);
  }
  void handle_writable(Now now) override { pump_.handle_writable(now); }
  void resume(Now now) override { pump_.resume(now); }
  [[nodiscard]] bool needs_drain() const override { return pump_.needs_drain(); }
  [[nodiscard]] bool waits_for_writable() const override { return pump_.waits_for_writable(); }
  [[nodiscard]] Instant next_deadline() const override { return pump_.next_deadline(); }
  [[nodiscard]] Work work() const override {
    if constexpr (HasWork<M>) {
      return machine().work();
    } else {
      return {};
    }
  }

 private:
  struct Sink {
    Outputs& outputs;
    Observer<M> observer;

    bool transmit(const Transmit& transmit, ByteView bytes) {
      return outputs.transmit(transmit, bytes);
    }
    template <class E>
    void event(const E& event) {
      if (!observer) return;
      std::string text = observer(outputs.now(), event);
      if (!text.empty()) outputs.event(std::move(text));
    }
    void job(Job job) { outputs.job(std::move(job)); }
    void store(StoreOp op) { outputs.store(std::move(op)); }
  };

  Checked<M> checked_;
  Sink sink_;
  Pump<Checked<M>, Sink> pump_;
};

// `args` go to M's constructor.
template <class M, class... Args>
[[nodiscard]] std::unique_ptr<Host> make_machine_host(const HostEnv& env, Observer<M> observer,
                                                      Args&&... args) {
  return std::make_unique<MachineHost<M>>(env, PumpLimits{}, std::move(observer),
                                          std::forward<Args>(args)...);
}

}  // namespace ethnet::sim
