namespace Herd.Inference.Generation;

/// <summary>
/// Counts the service of each tenant in virtual tokens: 1 for each prompt token computed, 2 for each answer token. A
/// tenant that returns starts at the minimum of the active tenants, so it gains no credit for the time without requests
/// (virtual token counters: Sheng et al., "Fairness in Serving Large Language Models", 2024).
/// </summary>
internal sealed class Fairness
{
    private const int InputWeight = 1;
    private const int MaxAccounts = 1024;

    private readonly Dictionary<string, Account> _accounts = [];

    public long ServiceOf(string tenant) => _accounts.TryGetValue(tenant, out var account) ? account.Service : 0;

    /// <summary>Records that a request of a tenant began.</summary>
    public void Enter(string tenant)
    {
        if (!_accounts.TryGetValue(tenant, out var account))
        {
            Prune();
            _accounts[tenant] = account = new Account();
        }

        if (account.Requests++ == 0)
        {
            account.Service = Math.Max(account.Service, MinOfOthers(account));
        }
    }

    /// <summary>Records that a request of a tenant ended.</summary>
    public void Leave(string tenant) => _accounts[tenant].Requests--;

    public void Charge(string tenant, int input, int output) =>
        _accounts[tenant].Service += InputWeight * input + TenantLoad.OutputWeight * output;

    private long MinOfOthers(Account? account)
    {
        var min = long.MaxValue;
        foreach (var other in _accounts.Values)
        {
            min = other != account && other.Requests > 0 ? Math.Min(min, other.Service) : min;
        }

        return min == long.MaxValue ? 0 : min;
    }

    /// <summary>
    /// Bounds the number of accounts. Removes tenants without requests whose service is at most the minimum of the
    /// active tenants: they would start at that minimum anyway.
    /// </summary>
    private void Prune()
    {
        if (_accounts.Count < MaxAccounts)
        {
            return;
        }

        var min = MinOfOthers(account: null);
        foreach (var tenant in _accounts.Where(a => a.Value.Requests == 0 && a.Value.Service <= min)
            .Select(a => a.Key)
            .ToList())
        {
            _accounts.Remove(tenant);
        }
    }

    private sealed class Account
    {
        public long Service { get; set; }

        public int Requests { get; set; }
    }
}
