#include "swarm.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ethnet::sim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kLineBreak = '\x1f';  // stands for a newline inside a message of a worker

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void write_line(int fd, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n <= 0) _exit(3);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

// The most that this process has had resident.
std::uint64_t resident_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss);
}

// Of all children that have ended.
double children_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// In the child: every `step`-th seed from `first`; before each a line S, after it a line R for each
// branch that it reached, a line V (hosts and virtual time; memory that the first one took) and a
// line D.
[[noreturn]] void run_worker(const ScenarioSpec& spec, std::uint64_t first, std::uint64_t last,
                             std::uint64_t step, int fd) {
  std::uint64_t resident_before = resident_kib();
  for (std::uint64_t seed = first; seed <= last; seed += step) {
    write_line(fd, fmt::format("S {}", seed));
    const Verdict verdict = run_seed(spec, seed);
    std::string text = verdict.ok() ? std::string{} : verdict.kind() + '\n' + verdict.text();
    std::ranges::replace(text, '\n', kLineBreak);
    for (const auto& [name, times] : verdict.reached.counts()) {
      write_line(fd, fmt::format("R {} {} {}", seed, times, name));
    }
    write_line(fd, fmt::format("V {} {} {} {}", seed, verdict.hosts, verdict.ended.ns,
                               resident_before == 0 ? 0 : resident_kib() - resident_before));
    resident_before = 0;  // later seeds use what this one has freed
    const std::int64_t recovery = verdict.recovery ? verdict.recovery->ns : -1;
    write_line(fd, fmt::format("D {} {} {} {} {}", seed, verdict.stats.events, verdict.trace,
                               recovery, text));
    if (last - seed < step) break;
  }
  _exit(0);
}

struct Worker {
  pid_t pid = -1;
  int fd = -1;
  std::uint64_t next = 0;                // the first seed that it was given
  std::optional<std::uint64_t> running;  // started and not done
  Clock::time_point since;
  std::string input;
  bool hung = false;
};

class Swarm {
 public:
  Swarm(const ScenarioSpec& spec, const SwarmOptions& options,
        const std::function<void(const SwarmProgress&)>& progress)
      : spec_{spec}, options_{options}, progress_{progress} {}

  [[nodiscard]] SwarmResult run() {
    result_.seeds = options_.last - options_.first + 1;
    step_ = std::min<std::uint64_t>(std::max(1U, options_.jobs), result_.seeds);
    for (std::uint64_t i = 0; i < step_; ++i) start_worker(options_.first + i);
    while (!workers_.empty()) {
      wait_for_input();
      report(false);
    }
    report(true);
    TraceHash all;
    for (const auto& [seed, trace] : traces_) all.add(trace);
    result_.trace = all.value();
    result_.seconds = seconds_since(start_);
    result_.cpu_seconds = children_cpu_seconds() - cpu_before_;
    std::ranges::sort(result_.failures, {}, &SwarmFailure::seed);
    std::ranges::sort(result_.recoveries);
    return std::move(result_);
  }

 private:
  void start_worker(std::uint64_t first) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::perror("pipe"), std::exit(1);
    std::fflush(stdout);
    const pid_t pid = ::fork();
    if (pid < 0) std::perror("fork"), std::exit(1);
    if (pid == 0) {
      ::close(ends[0]);
      run_worker(spec_, first, options_.last, step_, ends[1]);
    }
    ::close(ends[1]);
    workers_.push_back({.pid = pid,
                        .fd = ends[0],
                        .next = first,
                        .running = std::nullopt,
                        .since = Clock::now(),
                        .input = {},
                        .hung = false});
  }

  void wait_for_input() {
    std::vector<pollfd> fds;
    for (const Worker& worker : workers_) fds.push_back({worker.fd, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), 500) < 0 && errno != EINTR)
      std::perror("poll"), std::exit(1);
    std::vector<std::size_t> ended;
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents != 0 && !take_input(workers_[i])) ended.push_back(i);
      kill_if_hung(workers_[i]);
    }
    for (const std::size_t i : ended) on_end(workers_[i]);
    for (auto i = ended.rbegin(); i != ended.rend(); ++i) {
      workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(*i));
    }
    for (const std::uint64_t seed : std::exchange(to_start_, {})) start_worker(seed);
  }

  // False at the end of the worker's output.
  [[nodiscard]] bool take_input(Worker& worker) {
    std::array<char, 4'096> buffer{};
    const ssize_t n = ::read(worker.fd, buffer.data(), buffer.size());
    if (n <= 0) return n < 0 && errno == EINTR;
    worker.input.append(buffer.data(), static_cast<std::size_t>(n));
    for (std::size_t end; (end = worker.input.find('\n')) != std::string::npos;) {
      on_line(worker, worker.input.substr(0, end));
      worker.input.erase(0, end + 1);
    }
    return true;
  }

  void on_line(Worker& worker, const std::string& line) {
    std::istringstream in{line};
    char kind = 0;
    std::uint64_t seed = 0;
    in >> kind >> seed;
    worker.since = Clock::now();
    if (kind == 'S') {
      worker.running = seed;
      return;
    }
    if (kind == 'R') return on_reached(in);
    if (kind == 'V') return on_virtual_time(in);
    std::uint64_t events = 0;
    std::uint64_t trace = 0;
    std::int64_t recovery = -1;
    in >> events >> trace >> recovery;
    std::string text = rest_of(in);
    std::ranges::replace(text, kLineBreak, '\n');
    const std::size_t kind_ends = std::min(text.find('\n'), text.size());
    worker.running.reset();
    ++done_;
    result_.events += events;
    traces_[seed] = trace;
    if (recovery >= 0) result_.recoveries.push_back({nanoseconds(recovery), seed});
    if (text.empty()) return;
    on_failure({seed, text.substr(0, kind_ends), text.substr(kind_ends + 1)});
  }

  void on_reached(std::istringstream& in) {
    std::uint64_t times = 0;
    in >> times;
    ReachedSum& sum = result_.reached[rest_of(in)];
    ++sum.seeds;
    sum.times += times;
  }

  void on_virtual_time(std::istringstream& in) {
    std::uint64_t hosts = 0;
    std::int64_t ns = 0;
    std::uint64_t kib = 0;
    in >> hosts >> ns >> kib;
    result_.node_hours += static_cast<double>(hosts) * static_cast<double>(ns) / 3.6e12;
    if (kib <= result_.resident_kib) return;
    result_.resident_kib = kib;
    result_.resident_hosts = hosts;
  }

  [[nodiscard]] static std::string rest_of(std::istringstream& in) {
    std::string text;
    in.ignore(1);
    std::getline(in, text);
    return text;
  }

  void kill_if_hung(Worker& worker) {
    if (options_.seed_timeout_seconds <= 0 || worker.hung || !worker.running) return;
    if (seconds_since(worker.since) < options_.seed_timeout_seconds) return;
    worker.hung = true;
    ::kill(worker.pid, SIGKILL);
  }

  void on_end(Worker& worker) {
    int status = 0;
    ::waitpid(worker.pid, &status, 0);
    ::close(worker.fd);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    const std::uint64_t seed = worker.running.value_or(worker.next);
    std::string how = fmt::format("exited with {}", WEXITSTATUS(status));
    if (WIFSIGNALED(status)) how = fmt::format("killed by signal {}", WTERMSIG(status));
    if (worker.hung) how = fmt::format("hung for {} s", options_.seed_timeout_seconds);
    on_failure(
        {seed, how, fmt::format("seed={} {}\n  reproduce: {}", seed, how, spec_.command(seed))});
    ++done_;
    traces_[seed] = 0;
    if (options_.last - seed >= step_) to_start_.push_back(seed + step_);
  }

  void on_failure(SwarmFailure failure) {
    result_.failures.push_back(std::move(failure));
    if (!progress_) return;
    progress_({done_, result_.seeds, result_.failures.size(), seconds_since(start_),
               &result_.failures.back()});
  }

  void report(bool at_end) {
    const double now = seconds_since(start_);
    if (!progress_ || (!at_end && now - last_report_ < 1)) return;
    last_report_ = now;
    progress_({done_, result_.seeds, result_.failures.size(), now, nullptr});
  }

  const ScenarioSpec& spec_;
  const SwarmOptions& options_;
  const std::function<void(const SwarmProgress&)>& progress_;
  SwarmResult result_;
  std::uint64_t step_ = 1;
  std::uint64_t done_ = 0;
  double last_report_ = 0;
  Clock::time_point start_ = Clock::now();
  double cpu_before_ = children_cpu_seconds();
  std::vector<Worker> workers_;
  std::vector<std::uint64_t> to_start_;
  std::map<std::uint64_t, std::uint64_t> traces_;
};

}  // namespace

SwarmResult run_swarm(const ScenarioSpec& spec, const SwarmOptions& options,
                      const std::function<void(const SwarmProgress&)>& progress) {
  CHECK(options.first <= options.last);
  return Swarm{spec, options, progress}.run();
}

std::vector<std::string_view> SwarmResult::never_reached(const ScenarioSpec& spec) const {
  std::vector<std::string_view> missing;
  for (const std::string_view name : spec.sometimes) {
    if (!reached.contains(name)) missing.push_back(name);
  }
  return missing;
}

std::optional<std::uint64_t> parse_seed(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::optional<SeedRange> parse_seed_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto first = parse_seed(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : parse_seed(text.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  return SeedRange{*first, *last};
}

}  // namespace ethnet::sim
