// A snapshot as Prometheus text, format 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/
//
//   "session.refused.too_many_peers.inbound" 3
//       -> ethnet_session_refused_total{reason="too_many_peers",direction="inbound"} 3
//
// Each counter has a stable name below ethnet_, a HELP and a TYPE; counters end in _total, gauges
// do not. Beside them stand the names that go-ethereum's dashboards know (p2p_peers,
// chain_head_header,
// ...), typed `gauge` as go-ethereum types them. Nothing that a peer said is in a name or a label.
// Pure functions of what they are given. Limits: the size follows from the snapshot, which is
// bounded; one line a counter.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <node/snapshot.hpp>

namespace ethnet::observe {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// What a counter counts, for a person; empty: nobody said.
[[nodiscard]] std::string_view metric_help(std::string_view counter);

// `own`: counters of the listener itself, named as those of the snapshot.
[[nodiscard]] std::string prometheus_text(const node::NodeSnapshot& snapshot,
                                          std::span<const node::Counter> own = {});

}  // namespace ethnet::observe
