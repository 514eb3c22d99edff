using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Routing;

/// <summary>The errors of requests that name a model or a node that cannot be used.</summary>
public static class RoutingErrors
{
    /// <summary>No node serves the named model.</summary>
    public static HerdException NotServed(string model, IReadOnlyList<ServedModel> served) => new(
        HerdError.ModelNotFound, $"No node serves the model '{model}'. Served: {Names(served)}.", "model");

    /// <summary>The request names no model, and several are served.</summary>
    public static HerdException SeveralServed(IReadOnlyList<ServedModel> served) => new(
        HerdError.InvalidArgument, $"Several models are served ({Names(served)}). Name one in 'model'.", "model");

    /// <summary>No node of that name is in the cluster.</summary>
    public static HerdException UnknownNode(string node) => new(
        HerdError.InvalidArgument, $"There is no node '{node}'. List the nodes to see their names.", "node");

    /// <summary>No node that serves the model takes work.</summary>
    /// <param name="model">The model, as it is named in a sentence: "the model 'm'", "any model".</param>
    public static HerdException NoNodeReady(string model) => new(
        HerdError.Unavailable, $"No node that serves {model} takes work now. Try again later.");

    private static string Names(IReadOnlyList<ServedModel> served) =>
        served.Count == 0 ? "none" : string.Join(", ", served.Select(model => model.Id));
}
