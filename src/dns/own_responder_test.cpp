// The demo's arrangement: our own responder is the only name server there is, no resolver beside
// it, and what it is told to publish must be seen.
#include <gtest/gtest.h>

#include "dns/live_visibility.hpp"
#include "dns/responder/responder.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

Task<Result<View>> publish_and_look(Responder* responder, Visibility* visibility, Fqdn name,
                                    TxtValue value) {
  auto location = co_await visibility->locate(name);
  if (!location) co_return fail(location.error());
  const auto zone = co_await responder->find_zone(location->record);
  if (!zone) co_return fail(zone.error());
  EXPECT_EQ(zone->name, location->zone);
  std::vector<TxtChange> changes = {{TxtChange::Action::ensure, location->record, value}};
  const auto ticket = co_await responder->apply(*zone, std::move(changes));
  if (!ticket) co_return fail(ticket.error());
  std::vector<TxtValue> values = {std::move(value)};
  co_return co_await visibility->look(std::move(*location), std::move(values));
}

Task<Result<View>> then_stop(Responder* responder, Task<Result<View>> task) {
  auto view = co_await std::move(task);
  co_await responder->stop();
  co_return view;
}

TEST(OwnResponder, IsResolverAndAuthorityEnoughToFindAndSeeWhatItPublishes) {
  const auto loop = runtime::make_event_loop();
  runtime::SeededRandom chance(1);
  ResponderOptions serving;
  serving.listen = {{.address = "127.0.0.1", .port = 0}};
  serving.zones = {Fqdn::literal("acme.demo.test")};
  const auto responder = Responder::start(*loop, serving, {});
  ASSERT_TRUE(responder) << responder.error().message();
  ResolverOptions asking;
  asking.servers = (*responder)->listening();
  asking.authoritative_port = asking.servers.at(0).port;
  const auto visibility = make_visibility(*loop, chance, asking);
  ASSERT_TRUE(visibility);

  auto looking =
      publish_and_look(responder->get(), visibility->get(),
                       Fqdn::literal("_acme-challenge.www.acme.demo.test"), TxtValue("a-value"));
  const auto view = loop->run(then_stop(responder->get(), std::move(looking)));

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(view->everywhere) << view->missing();
  EXPECT_EQ(view->sightings.size(), 2U);
}

}  // namespace
}  // namespace certherd::dns
