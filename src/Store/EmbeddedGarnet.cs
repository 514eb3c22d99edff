using Garnet;
using Microsoft.Extensions.Logging;

namespace Herd.Store;

/// <summary>Garnet in this process, which knows where its append-only log begins.</summary>
internal sealed class EmbeddedGarnet(string[] arguments, ILoggerFactory log) : GarnetServer(arguments, log)
{
    /// <summary>
    /// The address of the first entry of the log that a restart would read, in bytes since the first of all. A
    /// checkpoint has what the entries before it did.
    /// </summary>
    public long LogBegin => storeWrapper.appendOnlyFile.Log.CommittedBeginAddress[0];
}
