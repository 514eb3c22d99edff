using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Accounting.Limits;
using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Accounting;

internal static class AccountingServices
{
    public static IServiceCollection AddAccounting(this IServiceCollection services) => services
        .AddSingleton<ILimitCounts, SharedCounts>()
        .AddSingleton<IUsageLedger, RedisUsageLedger>()
        .AddHosted<UsageRecorder>()
        .AddHosted<UsagePruning>();
}
