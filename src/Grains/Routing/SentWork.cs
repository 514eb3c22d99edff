namespace Herd.Grains.Routing;

/// <summary>The turns that this gateway has sent to nodes, by node and model, beside what reports say of them. Used under a lock.</summary>
internal sealed class SentWork
{
    private readonly Dictionary<(string Node, string Model), int> _sent = [];
    private readonly Dictionary<(string Node, string Model), int> _ended = [];

    public void Begin(string node, string model) => Count(_sent, node, model, 1);

    public void End(string node, string model)
    {
        Count(_sent, node, model, -1);
        Count(_ended, node, model, 1);
    }

    /// <summary>A report came; it shows no more what has ended.</summary>
    public void Reported(string node, string model) => _ended.Remove((node, model));

    /// <returns>Turns that are not over, and those that ended since the latest report, which still shows them.</returns>
    public (int Sent, int Ended) Of(string node, string model) =>
        (_sent.GetValueOrDefault((node, model)), _ended.GetValueOrDefault((node, model)));

    private static void Count(Dictionary<(string Node, string Model), int> counts, string node, string model, int more) =>
        counts[(node, model)] = counts.GetValueOrDefault((node, model)) + more;
}
