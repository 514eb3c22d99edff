using System.Threading.Channels;

namespace Herd.Inference.Generation;

/// <summary>Reads the updates of an answer, at most one an interval. Updates within an interval are joined.</summary>
internal sealed class UpdateReader(Sequence sequence, TimeSpan interval, TimeProvider time)
{
    private readonly ChannelReader<GenerationUpdate> _updates = sequence.Updates;
    private readonly List<GenerationUpdate> _taken = [];
    private long? _last;

    /// <returns>The next update; null if there are no more.</returns>
    /// <exception cref="Exception">The failure of the answer, after all updates before it were read.</exception>
    public async ValueTask<GenerationUpdate?> Next(CancellationToken cancellation)
    {
        if (!await _updates.WaitToReadAsync(cancellation))
        {
            return null;
        }

        if (_last is { } last && interval - time.GetElapsedTime(last) is { Ticks: > 0 } left)
        {
            await Wait(left, cancellation);
        }

        _taken.Clear();
        while (_updates.TryRead(out var update))
        {
            _taken.Add(update);
        }

        // The first token does not wait for the interval after the update that the prompt's computation began.
        _last = _taken is [{ Prompt: not null }] ? _last : time.GetTimestamp();
        return _taken.Count == 1 ? _taken[0] : Join(_taken);
    }

    /// <summary>Waits for the time, or until the answer ended.</summary>
    private async Task Wait(TimeSpan left, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(Task.Delay(left, time, over.Token), sequence.Over);
        await over.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private static GenerationUpdate Join(List<GenerationUpdate> updates) => new(
        [.. updates.SelectMany(update => update.Tokens)],
        string.Concat(updates.Select(update => update.Text)),
        updates[^1].Result)
    {
        LogProbs = [.. updates.SelectMany(update => update.LogProbs)],
        MirostatMu = updates[^1].MirostatMu,
        Prompt = updates[0].Prompt,
    };
}
