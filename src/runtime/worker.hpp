// Threads that work for the one that owns the node: jobs of any order, store operations in order.
// Results are posted back to its io_context; a worker cannot reach the node.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

#include <base/instant.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <machine/concepts.hpp>

namespace ethnet::runtime {

class Workers {
 public:
  using JobDone = std::function<void(JobResult)>;
  using StoreDone = std::function<void(StoreResult)>;
  using StoreWork = std::function<StoreResult(const StoreOp&)>;

  // Both callbacks run on `io`'s thread, also after these Workers are gone, if `io` still runs.
  // `store` runs on the store thread only.
  Workers(boost::asio::io_context& io, std::size_t job_threads, StoreWork store, JobDone job_done,
          StoreDone store_done);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  // Waits for what was begun, however long it takes: ask finish_store() first.
  ~Workers();

  void run(Job job);
  void run(StoreOp op);
  // Waits until every store operation is done, at most so long. Returns how many are not: the disk
  // does not answer.
  [[nodiscard]] std::size_t finish_store(Duration patience);

 private:
  boost::asio::io_context& io_;
  boost::asio::thread_pool jobs_;
  boost::asio::thread_pool store_thread_{1};
  StoreWork store_;
  JobDone job_done_;
  StoreDone store_done_;
  std::mutex mutex_;  // of what follows
  std::condition_variable store_idle_;
  std::size_t store_pending_ = 0;
};

}  // namespace ethnet::runtime
