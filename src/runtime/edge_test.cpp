// Console, BootTimer, StopSignals and what a NodeRunner decides by itself.
#include <csignal>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "boot_timer.hpp"
#include "console.hpp"
#include "node_runner.hpp"
#include "os.hpp"
#include "stop_signals.hpp"

namespace ethnet::runtime {
namespace {

// What a terminal of this many columns shows in the end: its lines, the last one unfinished.
struct Screen {
  std::size_t columns = 40;
  std::vector<std::string> lines{""};
  std::size_t wraps = 0;

  void write(const std::string& bytes) {
    std::size_t column = lines.back().size();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\r') {
        column = 0;
      } else if (bytes.compare(i, 3, "\x1b[K") == 0) {
        lines.back().resize(column);
        i += 2;
      } else if (bytes[i] == '\n') {
        lines.emplace_back();
        column = 0;
      } else {
        ASSERT_EQ(column, lines.back().size()) << "wrote over something";
        lines.back().push_back(bytes[i]);
        if (++column > columns) ++wraps;
      }
    }
  }
};

TEST(Console, ALogLineAndTheStatusLineNeverMix) {
  Screen screen;
  Console console{[&](const std::string& b) { screen.write(b); }, [&] { return screen.columns; }};
  console.line("first");
  console.status("sync [##..] 50%");
  console.line("second");
  EXPECT_EQ(screen.lines, (std::vector<std::string>{"first", "second", "sync [##..] 50%"}));
  console.status("sync [###.] 75%");
  console.line("third, which is longer than the status line");
  EXPECT_EQ(screen.lines.back(), "sync [###.] 75%");
  EXPECT_EQ(screen.lines.at(2), "third, which is longer than the status line");
  console.clear_status();
  console.line("fourth");
  EXPECT_EQ(screen.lines.back(), "");
  EXPECT_EQ(screen.lines.at(3), "fourth");
}

TEST(Console, AStatusLineNeverWraps) {
  Screen screen;
  screen.columns = 20;
  Console console{[&](const std::string& b) { screen.write(b); }, [&] { return screen.columns; }};
  console.status(std::string(200, 'x'));
  EXPECT_EQ(screen.lines.back().size(), 19U);
  screen.columns = 10;  // the window became narrower
  console.status(std::string(200, 'y'));
  EXPECT_EQ(screen.lines.back().size(), 9U);
  EXPECT_EQ(screen.wraps, 0U);
}

TEST(Console, WithoutATerminalThereAreLinesAndNoControlCharacters) {
  std::string out;
  Console console{[&](const std::string& b) { out += b; }, [] { return 0U; }};
  console.status("never seen");
  console.line("one");
  console.clear_status();
  console.line("two");
  EXPECT_EQ(out, "one\ntwo\n");
}

TEST(BootTimer, FiresOnceWhenItIsDueAndNotWhenItWasSetAnew) {
  boost::asio::io_context io{1};
  int fired = 0;
  Instant at;
  BootTimer timer{io, [&] {
                    ++fired;
                    EXPECT_GE(os_now().mono, at);
                    io.stop();
                  }};
  timer.set(os_now().mono);     // due, but
  timer.set(Instant::never());  // not any more
  at = os_now().mono + milliseconds(2);
  timer.set(at + seconds(3600));
  timer.set(at);
  io.run();
  EXPECT_EQ(fired, 1);
  io.restart();
  EXPECT_EQ(io.poll(), 0U);
  at = Instant{};  // long ago: at once
  timer.set(at);
  io.run();
  EXPECT_EQ(fired, 2);
}

TEST(StopSignals, HoldsBackWhatComesUntilItIsReleased) {
  static volatile std::sig_atomic_t delivered = 0;
  struct sigaction before{};
  struct sigaction action{};
  action.sa_handler = [](int) { delivered = delivered + 1; };
  ASSERT_EQ(::sigaction(SIGTERM, &action, &before), 0);
  {
    StopSignals held;
    EXPECT_FALSE(held.pending());
    std::raise(SIGTERM);
    EXPECT_EQ(delivered, 0);
    EXPECT_TRUE(held.pending());
    held.release();
    EXPECT_EQ(delivered, 1);
    EXPECT_FALSE(held.pending());
  }
  std::raise(SIGTERM);
  EXPECT_EQ(delivered, 2);
  ASSERT_EQ(::sigaction(SIGTERM, &before, nullptr), 0);
}

TEST(NodeRunner, KnowsWhichAddressesASocketReaches) {
  const auto ip = [](std::string_view text) { return *IpAddress::parse(text); };
  EXPECT_TRUE(can_reach(ip("0.0.0.0"), ip("10.0.0.1")));
  EXPECT_FALSE(can_reach(ip("0.0.0.0"), ip("::1")));
  EXPECT_FALSE(can_reach(ip("127.0.0.1"), ip("::1")));
  EXPECT_TRUE(can_reach(ip("::"), ip("10.0.0.1")));
  EXPECT_TRUE(can_reach(ip("::"), ip("::1")));
  EXPECT_TRUE(can_reach(ip("::1"), ip("::1")));
  EXPECT_FALSE(can_reach(ip("::1"), ip("127.0.0.1")));
}

}  // namespace
}  // namespace ethnet::runtime
