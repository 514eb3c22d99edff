using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Nodes;

/// <summary>
/// Exchanges this node's model while its process stays: (1) the new file is checked, (2) the node is emptied, (3) its
/// host loads the model. A file that fails its check changes nothing.
/// </summary>
/// <param name="host">The node.</param>
/// <param name="models">Finds and checks models.</param>
/// <param name="replace">Empties the node and has its host load a model; empty for none.</param>
/// <param name="lifetime">The lifetime of the process.</param>
/// <param name="logger">The log.</param>
internal sealed class ModelSwitch(
    NodeHost host,
    NodeModels models,
    Func<string, Task> replace,
    IHostApplicationLifetime lifetime,
    ILogger<ModelSwitch> logger)
{
    /// <summary>Begins. <see cref="NodeHost.Report"/> has the stage.</summary>
    /// <param name="model">An id of the catalog or a path; empty for none.</param>
    /// <exception cref="HerdException">
    /// There is no such model, the node may not load the file, or it is loading or draining.
    /// </exception>
    public void Begin(string model)
    {
        var source = model.Length > 0 ? models.Find(model) : null;
        host.BeginLoad(source?.Id ?? "");
        Run(model, source).Ignore();
    }

    private async Task Run(string model, Inference.Models.ModelSource? source)
    {
        try
        {
            if (source is not null)
            {
                await models.Check(source, host.Loaded, lifetime.ApplicationStopping);
            }

            if (host.Report().State is not NodeState.Ready and var state)
            {
                throw new HerdException(HerdError.Unavailable, $"The node is {state} by now.");
            }
        }
        catch (Exception e)
        {
            NodeLog.NotLoaded(logger, source?.Id ?? "", e.Message);
            host.SetStage(LoadStage.Failed, e.Message);
            return;
        }

        host.SetStage(LoadStage.Draining);
        await replace(model);
    }
}
