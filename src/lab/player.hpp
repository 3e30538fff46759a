// Plays a scenario under several rules, each on a chain manager of its own: the one that a node
// has. Threading: one thread; pure: the same scenario and rules give the same report.
#pragma once

#include <functional>
#include <span>

#include <base/result.hpp>
#include <chain/chain_manager.hpp>

#include "report.hpp"
#include "rules.hpp"

namespace ethnet::lab {

// Called after each step of each rule, for who checks.
using StepObserver =
    std::function<void(const LabRule& rule, std::size_t step, const chain::ChainManager& manager)>;

// Errors: those of make_lab_rule.
[[nodiscard]] Result<LabReport> play(const Scenario& scenario, std::span<const LabRule> rules,
                                     const StepObserver& observer = {},
                                     const chain::RuleBook& known = lab_rules());

}  // namespace ethnet::lab
