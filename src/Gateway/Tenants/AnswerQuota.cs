using Herd.Grains.Accounting.Limits;

namespace Herd.Gateway.Tenants;

/// <summary>
/// What one answer takes of its tenant's limits. Tokens were reserved; more are taken as they are computed; what is
/// left is returned at the end.
/// </summary>
/// <param name="counts">The counts.</param>
/// <param name="limit">Tokens a minute; null means no limit.</param>
/// <param name="budget">The name of the tenant's budget of tokens.</param>
internal sealed class AnswerQuota(ILimitCounts counts, int? limit, string budget) : IAsyncDisposable
{
    /// <summary>Computed tokens are taken in portions of 1 % of the limit, so that a token is not a call.</summary>
    private const int Portions = 100;

    private readonly string _entry = Guid.NewGuid().ToString("N");
    private string? _set;
    private int _taken;
    private int _used;
    private bool _isOver;

    /// <returns>False if there are too many answers at once.</returns>
    public async Task<bool> TryEnter(string set, int most)
    {
        var hasEntered = await counts.TryEnter(set, most, _entry);
        _set = hasEntered ? set : null;
        return hasEntered;
    }

    /// <returns>Zero if the tokens were reserved; otherwise the time until they can be.</returns>
    public async Task<TimeSpan> Reserve(int tokens, bool isForced)
    {
        var wait = await counts.Take(budget, limit!.Value, tokens, isForced);
        _taken = wait == TimeSpan.Zero ? tokens : 0;
        return wait;
    }

    /// <summary>Charges computed tokens.</summary>
    public void Charge(int tokens)
    {
        _used += tokens;
        if (limit is { } perMinute && _used - _taken > perMinute / Portions)
        {
            Balance(perMinute).Ignore();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        if (limit is { } perMinute)
        {
            await Balance(perMinute);
        }

        if (_set is not null)
        {
            await counts.Leave(_set, _entry);
        }
    }

    /// <summary>Takes what was used and not taken, or returns what was taken and not used.</summary>
    private Task Balance(int perMinute)
    {
        var more = _used - _taken;
        _taken = _used;
        return more == 0 ? Task.CompletedTask : counts.Take(budget, perMinute, more, isForced: true);
    }
}
