// From the listener's thread to the node's: queries go as one turn, one at a time, so that a
// crowd of observers costs the node a turn a loop; the rest waits here. The node never waits.
//
// Who asks is called back once, on the listener's thread and after ask() has returned: with the
// answers, or with none when the node was silent for too long, is not there, or too many wait.
// Threading: that of the io_context. Limits: kMaxNodeLine.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include <base/instant.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <node/query.hpp>

namespace ethnet::observe {

// Requests that wait: one of each connection, and some whose connection has gone meanwhile.
inline constexpr std::size_t kMaxNodeLine = 128;

using NodeAnswers = std::vector<node::Answer>;
using TakeAnswers = std::function<void(NodeAnswers)>;
// Puts queries to the node, which answers on its thread, unless it ends before.
using PutToNode = std::function<void(std::vector<node::Query>, TakeAnswers)>;

struct NodeLineCounters {
  std::uint64_t asked = 0;
  std::uint64_t silent = 0;  // of these, without an answer
};

class NodeLine {
 public:
  // Both outlive it.
  NodeLine(boost::asio::io_context& io, NodeLineCounters& counters, Duration patience)
      : io_{io}, counters_{counters}, patience_{patience} {}
  NodeLine(const NodeLine&) = delete;
  NodeLine& operator=(const NodeLine&) = delete;

  // Null: it is not called any more.
  void connect(PutToNode put) { put_ = std::move(put); }
  void ask(std::vector<node::Query> queries, TakeAnswers take);
  // Everybody is answered, now and later.
  void close();

 private:
  struct Waiting {
    std::uint64_t number = 0;
    std::vector<node::Query> queries;
    TakeAnswers take;
    std::unique_ptr<boost::asio::steady_timer> patience;
  };

  void put_next();
  void on_answers(std::uint64_t number, NodeAnswers answers);
  void give_up(std::uint64_t number);
  void refuse(TakeAnswers take);

  boost::asio::io_context& io_;
  NodeLineCounters& counters_;
  Duration patience_;
  PutToNode put_;
  std::list<Waiting> waiting_;  // the oldest first
  bool at_node_ = false;        // queries were put and not answered
  std::uint64_t last_put_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace ethnet::observe
