#include "sim/on_line.hpp"

namespace certherd::sim {
namespace {

/// One exchange over the line: `work` begins when the request has arrived there.
template <typename T>
Task<T> over(Line* line, std::string op, Task<T> work) {
  if (auto fault = co_await line->there(op)) co_return fail(std::move(*fault));
  auto result = co_await std::move(work);
  if (auto fault = co_await line->back(std::move(op))) co_return fail(std::move(*fault));
  co_return result;
}

}  // namespace

Task<Result<VaultReferences>> VaultOnLine::store(Fqdn domain, Material material,
                                                 vault::Version version) {
  return over(&line_, "store",
              vault_.store(std::move(domain), std::move(material), std::move(version)));
}

Task<Result<Material>> VaultOnLine::load(Fqdn domain) {
  return over(&line_, "load", vault_.load(std::move(domain)));
}

// Those who look every day at each of a hundred thousand domains are not made to wait.
Task<Result<std::optional<vault::Description>>> VaultOnLine::describe(Fqdn domain) {
  return vault_.describe(std::move(domain));
}

Task<Status> VaultOnLine::check() { return over(&line_, "check", vault_.check()); }

Task<Result<std::optional<deploy::Installation>>> TargetOnLine::observe(Fqdn domain) {
  return over(&line_, "observe", target_.observe(std::move(domain)));
}

Task<Result<deploy::Receipt>> TargetOnLine::install(Fqdn domain, Material material,
                                                    std::string version_key) {
  return over(&line_, "install",
              target_.install(std::move(domain), std::move(material), std::move(version_key)));
}

Task<Status> TargetOnLine::clean_up(deploy::Receipt receipt) {
  return over(&line_, "clean up", target_.clean_up(std::move(receipt)));
}

Task<Status> TargetOnLine::retire(deploy::Receipt receipt) {
  return over(&line_, "retire", target_.retire(std::move(receipt)));
}

Task<Status> TargetOnLine::check() { return over(&line_, "check", target_.check()); }

Task<Result<http::Response>> HttpOnLine::send(http::Request request, Time deadline) {
  return over(&line_, "call", server_.send(std::move(request), deadline));
}

}  // namespace certherd::sim
