#include "vault/secrets_manager/secret_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hpp"
#include "runtime/together.hpp"

namespace certherd::vault::secrets_manager {
namespace {

// Each look is one at what somebody else has done meanwhile; who goes on like that is no accident.
constexpr int looks = 3;

std::string exists_error(const std::string& name) {
  return fmt::format("{} has this version with another content", name);
}

std::string foreign_error(const std::string& name) {
  return fmt::format(
      "{} is there and is not tagged {}={}, so it is somebody else's: give it that tag to hand it "
      "over to certherd, or choose another prefix",
      name, managed_by_key, managed_by_value);
}

bool is_current_or_previous(const Description& secret, const std::string& version) {
  const auto found = secret.versions.find(version);
  return found != secret.versions.end() &&
         (found->second.contains(current_stage) || found->second.contains(previous_stage));
}

/// What AWS does with the labels when AWSCURRENT moves.
void note_move(Description& secret, const std::string& to) {
  const auto from = secret.holder(current_stage);
  for (auto& [id, stages] : secret.versions) {
    stages.erase(current_stage);
    stages.erase(previous_stage);
  }
  if (!from.empty()) secret.versions[from].emplace(previous_stage);
  secret.versions[to].emplace(current_stage);
}

}  // namespace

struct SecretSet::Work {
  std::vector<Entry> entries;
  std::string version_id;
  Tags tags;
  std::vector<std::optional<Description>> seen;  ///< of the entries, kept up with what we do
  Error meanwhile;                               ///< why we had to look again

  std::size_t size() const { return entries.size(); }
  bool is_complete() const {
    return std::ranges::all_of(seen, [](const auto& secret) { return secret.has_value(); });
  }
};

Task<Result<std::vector<std::string>>> SecretSet::store(std::vector<Entry> entries,
                                                        std::string version_id, Tags tags) {
  Work work{.entries = std::move(entries),
            .version_id = std::move(version_id),
            .tags = std::move(tags),
            .seen = {},
            .meanwhile = {}};
  for (int count = 0; count < looks; ++count) {
    const auto turn = co_await bring_about(&work);
    if (!turn) co_return fail(turn.error());
    if (*turn == Turn::look_again) continue;
    std::vector<std::string> arns;
    arns.reserve(work.size());
    for (const auto& secret : work.seen) arns.push_back(secret->arn);
    co_return arns;
  }
  co_return fail(std::move(work.meanwhile));
}

Task<Result<SecretSet::Turn>> SecretSet::bring_about(Work* work) {
  std::vector<std::string> names;
  names.reserve(work->size());
  for (const auto& entry : work->entries) names.push_back(entry.name);
  auto seen = co_await look(std::move(names));
  if (!seen) co_return fail(std::move(seen.error()));
  work->seen = std::move(*seen);

  using Step = Task<Result<Turn>> (SecretSet::*)(Work*);
  constexpr std::array<Step, 6> steps = {&SecretSet::take_possession, &SecretSet::settle_former,
                                         &SecretSet::stage,           &SecretSet::create_missing,
                                         &SecretSet::make_current,    &SecretSet::tag};
  for (const auto step : steps) {
    const auto turn = co_await (this->*step)(work);
    if (!turn || *turn == Turn::look_again) co_return turn;
  }
  co_return Turn::done;
}

Task<Result<std::vector<std::optional<Description>>>> SecretSet::look(
    std::vector<std::string> names) {
  std::vector<Answer<std::optional<Description>>> answers(names.size());
  std::vector<Task<void>> tasks;
  tasks.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    tasks.push_back(describe_into(std::move(names[i]), &answers[i]));
  }
  co_await runtime::together(std::move(tasks));
  std::vector<std::optional<Description>> found;
  for (auto& answer : answers) {
    if (!answer) co_return fail(std::move(answer.error().error));
    found.push_back(std::move(*answer));
  }
  co_return found;
}

Task<void> SecretSet::describe_into(std::string name, Answer<std::optional<Description>>* answer) {
  *answer = co_await api_.describe(std::move(name));
}

/// All are ours, or nothing is touched. One that is scheduled for deletion comes back: its name
/// cannot be used otherwise until the window of at least seven days is over.
Task<Result<SecretSet::Turn>> SecretSet::take_possession(Work* work) {
  for (std::size_t i = 0; i < work->size(); ++i) {
    const auto& secret = work->seen[i];
    const auto& name = work->entries[i].name;
    if (!secret || is_ours(secret->tags)) continue;
    co_return fail(Error::Kind::conflict, "claim " + name,
                   secret->deleted ? foreign_error(name) + " (it is also scheduled for deletion)"
                                   : foreign_error(name));
  }
  for (std::size_t i = 0; i < work->size(); ++i) {
    if (!work->seen[i] || !work->seen[i]->deleted) continue;
    const auto& name = work->entries[i].name;
    auto restored = co_await api_.restore(name);
    if (!restored) co_return fail(std::move(restored.error().error).during("restore " + name));
    log::info("vault: {} was scheduled for deletion and is restored", name);
    work->seen[i]->deleted = false;
  }
  co_return Turn::done;
}

/// A store() of another version that broke off in the midst of its moves left secrets that are
/// ahead of the others. Two more moves would take the last label from the version that is still
/// whole, so they go back to it first.
Task<Result<SecretSet::Turn>> SecretSet::settle_former(Work* work) {
  if (!work->is_complete()) co_return Turn::done;
  const auto& last = *work->seen.back();
  std::string whole;
  for (const auto& candidate : {last.holder(current_stage), last.holder(previous_stage)}) {
    const bool in_each = std::ranges::all_of(work->seen, [&candidate](const auto& secret) {
      return is_current_or_previous(*secret, candidate);
    });
    if (in_each && whole.empty()) whole = candidate;
  }
  if (whole.empty()) co_return Turn::done;
  const bool is_ahead = std::ranges::any_of(work->seen, [&](const auto& secret) {
    const auto current = secret->holder(current_stage);
    return current != whole && current != work->version_id;
  });
  if (!is_ahead) co_return Turn::done;
  for (std::size_t i = 0; i < work->size(); ++i) {
    const auto turn = co_await move(work, i, whole);
    if (!turn || *turn == Turn::look_again) co_return turn;
  }
  co_return Turn::done;
}

/// Puts the version into each secret that is there, as AWSPENDING: nobody reads that.
Task<Result<SecretSet::Turn>> SecretSet::stage(Work* work) {
  std::vector<Result<Turn>> results(work->size(), Turn::done);
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < work->size(); ++i) {
    if (work->seen[i]) tasks.push_back(stage_into(work, i, &results[i]));
  }
  co_await runtime::together(std::move(tasks));
  for (auto& result : results) {
    if (!result || *result == Turn::look_again) co_return std::move(result);
  }
  co_return Turn::done;
}

Task<void> SecretSet::stage_into(Work* work, std::size_t index, Result<Turn>* result) {
  const auto& entry = work->entries[index];
  auto& secret = *work->seen[index];
  // Reads are free, and writes are not.
  if (secret.versions.contains(work->version_id)) {
    *result = co_await compare(work, index);
    co_return;
  }
  Api::NewVersion version{.name = entry.name,
                          .value = entry.value,
                          .version_id = work->version_id,
                          .stage = work->size() == 1 ? current_stage : pending_stage};
  auto stages = co_await api_.put(std::move(version));
  if (stages) {
    // A version that is there and has lost its labels does not get one.
    if (stages->contains(current_stage)) note_move(secret, work->version_id);
    co_return;
  }
  auto& failure = stages.error();
  if (failure.code == "ResourceExistsException") {
    *result = fail(Error::Kind::rejected, "stage " + entry.name, exists_error(entry.name));
  } else if (failure.code == "ResourceNotFoundException") {
    work->meanwhile = std::move(failure.error).during("stage " + entry.name);
    *result = Turn::look_again;
  } else {
    *result = fail(std::move(failure.error).during("stage " + entry.name));
  }
}

Task<Result<SecretSet::Turn>> SecretSet::compare(Work* work, std::size_t index) {
  const auto& entry = work->entries[index];
  Api::Which which{.name = entry.name, .version_id = work->version_id, .stage = {}};
  auto value = co_await api_.value(std::move(which));
  if (!value) co_return fail(std::move(value.error().error).during("compare " + entry.name));
  if (value->text.reveal() == entry.value.reveal()) co_return Turn::done;
  co_return fail(Error::Kind::rejected, "compare " + entry.name, exists_error(entry.name));
}

/// In order, so that a chain is never to be seen without its key.
Task<Result<SecretSet::Turn>> SecretSet::create_missing(Work* work) {
  for (std::size_t i = 0; i < work->size(); ++i) {
    if (work->seen[i]) continue;
    const auto& entry = work->entries[i];
    Api::NewSecret secret{.name = entry.name,
                          .value = entry.value,
                          .version_id = work->version_id,
                          .kms_key_id = kms_key_id_,
                          .tags = work->tags};
    auto arn = co_await api_.create(std::move(secret));
    if (!arn) {
      auto& failure = arn.error();
      auto error = std::move(failure.error).during("create " + entry.name);
      if (failure.code == "ResourceExistsException") {
        // Ours after all (a lost reply), or another process was first.
        work->meanwhile = std::move(error);
        co_return Turn::look_again;
      }
      if (failure.code == "InvalidRequestException") {
        // A name is not free at once when a secret has been deleted for good.
        error.kind = Error::Kind::transient;
        work->meanwhile = std::move(error);
        co_return Turn::look_again;
      }
      co_return fail(std::move(error));
    }
    Description created{.arn = std::move(*arn), .versions = {}, .tags = work->tags};
    note_move(created, work->version_id);
    work->seen[i] = std::move(created);
  }
  co_return Turn::done;
}

Task<Result<SecretSet::Turn>> SecretSet::make_current(Work* work) {
  for (std::size_t i = 0; i < work->size(); ++i) {
    const auto turn = co_await move(work, i, work->version_id);
    if (!turn || *turn == Turn::look_again) co_return turn;
  }
  co_return Turn::done;
}

/// Moves AWSCURRENT, unless it is there.
Task<Result<SecretSet::Turn>> SecretSet::move(Work* work, std::size_t index, std::string to) {
  auto& secret = *work->seen[index];
  const auto& name = work->entries[index].name;
  auto from = secret.holder(current_stage);
  if (from == to) co_return Turn::done;
  Api::Move move{.name = name, .to = to, .from = std::move(from)};
  auto moved = co_await api_.move_current(std::move(move));
  if (moved) {
    note_move(secret, to);
    co_return Turn::done;
  }
  auto& failure = moved.error();
  auto error = std::move(failure.error).during("switch " + name);
  if (failure.code == "InvalidParameterException") {
    error.kind = Error::Kind::conflict;
    error.detail =
        "somebody else moves AWSCURRENT of it too: let only one store of certherd write under this "
        "prefix";
  } else if (failure.code == "ResourceNotFoundException") {
    error.kind = Error::Kind::transient;  // cleared away meanwhile, or not to be seen yet
  } else {
    co_return fail(std::move(error));
  }
  work->meanwhile = std::move(error);
  co_return Turn::look_again;
}

Task<Result<SecretSet::Turn>> SecretSet::tag(Work* work) {
  std::vector<Result<Turn>> results(work->size(), Turn::done);
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < work->size(); ++i) {
    const auto changes = tags_to_write(work->seen[i]->tags, work->tags);
    if (!changes.empty()) tasks.push_back(tag_into(work, i, &results[i]));
  }
  co_await runtime::together(std::move(tasks));
  for (auto& result : results) {
    if (!result) co_return std::move(result);
  }
  co_return Turn::done;
}

Task<void> SecretSet::tag_into(Work* work, std::size_t index, Result<Turn>* result) {
  const auto& name = work->entries[index].name;
  auto tagged = co_await api_.tag(name, tags_to_write(work->seen[index]->tags, work->tags));
  if (!tagged) *result = fail(std::move(tagged.error().error).during("tag " + name));
}

}  // namespace certherd::vault::secrets_manager
