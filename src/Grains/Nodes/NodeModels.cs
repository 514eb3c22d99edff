using Herd.Contracts.Errors;
using Herd.Grains.Hosting.Configuration;
using Herd.Inference.Models;
using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>
/// The models that this node may be told to load: those of its catalog, the file that it was started with, and files of
/// Node:AllowPaths.
/// </summary>
internal sealed class NodeModels(
    ILlamaRuntime runtime, IOptions<NodeOptions> options, IOptions<ClusterOptions> cluster, ModelProbe probe)
{
    /// <exception cref="HerdException">There is no such model, or the node may not load the file.</exception>
    public ModelSource Find(string model)
    {
        try
        {
            var catalog = ModelCatalog.Read(options.Value.Catalog);
            return catalog.Has(model) || !IsPath(model) || IsAllowed(catalog, Path.GetFullPath(model))
                ? catalog.Find(model)
                : throw new HerdException(
                    HerdError.Forbidden,
                    $"The node '{cluster.Value.Name}' may not load '{model}'. It loads models of its catalog "
                    + $"({string.Join(", ", catalog.Models.Select(known => known.Id))}), the file that it was started "
                    + "with, and files of Node:AllowPaths. Add the model to the catalog, or its folder there.",
                    "model");
        }
        catch (InvalidDataException e)
        {
            throw new HerdException(HerdError.ModelNotFound, e.Message, "model");
        }
    }

    /// <summary>
    /// Reads the whole file and checks its digest, its content, that it fits into memory, and that native code survives
    /// it.
    /// </summary>
    /// <param name="source">The model.</param>
    /// <param name="loaded">The model whose memory is free by then; null if none is loaded.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <exception cref="ModelLoadException">The file is missing, damaged or another one, or does not fit.</exception>
    public async Task Check(ModelSource source, LoadedModel? loaded, CancellationToken cancellation)
    {
        var digest = await ModelHash.Verify(source, cancellation);
        await Task.Run(() => LoadedModel.Check(runtime, source, options.Value, loaded), cancellation);
        await probe.Require(source.Path, digest, cancellation);
    }

    /// <summary>False for the name of a model that is in no catalog, also if a file here is called so.</summary>
    private bool IsPath(string model) =>
        !model.Contains('\0') && (model.Contains('/') || model == options.Value.Model || File.Exists(model));

    /// <summary>
    /// Links are followed: whoever may write to an allowed folder may name any file in it.
    /// </summary>
    private bool IsAllowed(ModelCatalog catalog, string path) =>
        path == Path.GetFullPath(options.Value.Model)
        || catalog.HasFile(path)
        || options.Value.AllowPaths.Select(Path.GetFullPath).Any(allowed =>
            path == allowed || path.StartsWith(allowed.TrimEnd('/') + '/', StringComparison.Ordinal));
}
