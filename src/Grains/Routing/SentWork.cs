namespace Herd.Grains.Routing;

/// <summary>The turns that this gateway has sent to nodes, by node and model, beside what reports say of them. Used under a lock.</summary>
internal sealed class SentWork
{
    private readonly Dictionary<(string Node, string Model), int> _sent = [];
    private readonly Dictionary<(string Node, string Model), int> _ended = [];
    private readonly Dictionary<(string Node, string Model), List<double>> _computed = [];

    /// <param name="node">The node.</param>
    /// <param name="model">The model.</param>
    /// <param name="computed">When its prompt is computed, as far as is foreseen, in seconds of the gateway's clock.</param>
    public void Begin(string node, string model, double computed)
    {
        Count(_sent, node, model, 1);
        if (!_computed.TryGetValue((node, model), out var prompts))
        {
            _computed[(node, model)] = prompts = [];
        }

        prompts.Add(computed);
    }

    public void End(string node, string model, double computed)
    {
        _computed[(node, model)].Remove(computed);
        Count(_sent, node, model, -1);
        Count(_ended, node, model, 1);
    }

    /// <summary>A report came; it shows no more what has ended.</summary>
    public void Reported(string node, string model) => _ended.Remove((node, model));

    /// <returns>Turns that are not over, and those that ended since the latest report, which still shows them.</returns>
    public (int Sent, int Ended) Of(string node, string model) =>
        (_sent.GetValueOrDefault((node, model)), _ended.GetValueOrDefault((node, model)));

    /// <returns>When all of the prompts are computed that were sent, as far as is foreseen; 0 when there are none.</returns>
    public double Computed(string node, string model) =>
        _computed.TryGetValue((node, model), out var prompts) && prompts.Count > 0 ? prompts.Max() : 0;

    private static void Count(Dictionary<(string Node, string Model), int> counts, string node, string model, int more) =>
        counts[(node, model)] = counts.GetValueOrDefault((node, model)) + more;
}
