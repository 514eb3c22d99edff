namespace Herd.Inference.Generation;

/// <summary>
/// Counts what each tenant was served in virtual tokens: 1 for a token computed of a prompt, 2 for one of an answer. A
/// tenant that comes back does not bring credit for the time it was away.
/// </summary>
internal sealed class Fairness
{
    private const int InputWeight = 1;
    private const int OutputWeight = 2;
    private const int MostAccounts = 1024;

    private readonly Dictionary<string, Account> _accounts = [];

    public long ServiceOf(string tenant) => _accounts.TryGetValue(tenant, out var account) ? account.Service : 0;

    /// <summary>Notes that a tenant has a request more.</summary>
    public void Enter(string tenant)
    {
        if (!_accounts.TryGetValue(tenant, out var account))
        {
            Prune();
            _accounts[tenant] = account = new Account();
        }

        if (account.Requests++ == 0)
        {
            account.Service = Math.Max(account.Service, LeastOfOthers(account));
        }
    }

    /// <summary>Notes that a tenant has a request less.</summary>
    public void Leave(string tenant) => _accounts[tenant].Requests--;

    public void Charge(string tenant, int input, int output) =>
        _accounts[tenant].Service += InputWeight * input + OutputWeight * output;

    private long LeastOfOthers(Account? account)
    {
        var least = long.MaxValue;
        foreach (var other in _accounts.Values)
        {
            least = other != account && other.Requests > 0 ? Math.Min(least, other.Service) : least;
        }

        return least == long.MaxValue ? 0 : least;
    }

    /// <summary>Keeps the accounts few. Who is away and was served no more than those present has nothing to lose.</summary>
    private void Prune()
    {
        if (_accounts.Count < MostAccounts)
        {
            return;
        }

        var least = LeastOfOthers(account: null);
        foreach (var tenant in _accounts.Where(a => a.Value.Requests == 0 && a.Value.Service <= least).Select(a => a.Key).ToList())
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
