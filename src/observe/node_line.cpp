#include "node_line.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace ethnet::observe {

namespace asio = boost::asio;

void NodeLine::ask(std::vector<node::Query> queries, TakeAnswers take) {
  ++counters_.asked;
  if (!put_ || waiting_.size() >= kMaxNodeLine) return refuse(std::move(take));
  const std::uint64_t number = ++last_number_;
  auto patience = std::make_unique<asio::steady_timer>(io_);
  patience->expires_after(std::chrono::nanoseconds{patience_.ns});
  patience->async_wait([this, number](boost::system::error_code error) {
    if (!error) give_up(number);
  });
  waiting_.push_back({number, std::move(queries), std::move(take), std::move(patience)});
  put_next();
}

void NodeLine::close() {
  put_ = nullptr;
  for (Waiting& one : waiting_) refuse(std::move(one.take));
  waiting_.clear();
}

void NodeLine::put_next() {
  if (at_node_ || !put_) return;
  const auto next =
      std::ranges::find_if(waiting_, [&](const Waiting& one) { return one.number > last_put_; });
  if (next == waiting_.end()) return;
  at_node_ = true;
  last_put_ = next->number;
  put_(std::move(next->queries), [this, number = next->number](NodeAnswers answers) {
    asio::post(io_, [this, number, all = std::move(answers)]() mutable {
      on_answers(number, std::move(all));
    });
  });
}

void NodeLine::on_answers(std::uint64_t number, NodeAnswers answers) {
  at_node_ = false;
  const auto it = std::ranges::find(waiting_, number, &Waiting::number);
  if (it != waiting_.end()) {  // otherwise the answer comes too late
    const TakeAnswers take = std::move(it->take);
    waiting_.erase(it);
    take(std::move(answers));
  }
  put_next();
}

void NodeLine::give_up(std::uint64_t number) {
  const auto it = std::ranges::find(waiting_, number, &Waiting::number);
  if (it == waiting_.end()) return;
  refuse(std::move(it->take));
  waiting_.erase(it);
}

void NodeLine::refuse(TakeAnswers take) {
  ++counters_.silent;
  asio::post(io_, [answer = std::move(take)] { answer({}); });
}

}  // namespace ethnet::observe
