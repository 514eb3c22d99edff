using Herd.Grains.Accounting.Limits;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Accounting;

internal static class AccountingServices
{
    public static IServiceCollection AddAccounting(this IServiceCollection services) => services
        .AddSingleton<ILimitCounts, SharedCounts>();
}
